/** A daemon of a test's own, and what every test begins with. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test as base, expect, type Page } from '@playwright/test';

const PROGRAM = process.env.VM_SYSTEM_PROGRAM ?? new URL('../../../../target/debug/vm-system', import.meta.url).pathname;
/** A daemon is there in milliseconds; this is for a machine that is busy elsewhere. */
const START_MS = 30_000;

interface Session {
  id: string;
  template_id: string;
  status: string;
}

/** Where daemons of the tests are, or were. */
const ours = new Set<string>();

export class Daemon {
  readonly home = mkdtempSync(join(tmpdir(), 'vm-system-ui-'));
  readonly worktree = join(this.home, 'worktree');
  url = '';
  #port = 0;
  #process: ChildProcess | null = null;
  #env: Record<string, string>;

  constructor(env: Record<string, string> = {}) {
    this.#env = env;
    mkdirSync(join(this.worktree, 'lib'), { recursive: true });
    writeFileSync(join(this.worktree, 'main.js'), "console.log('from main', __ARGS__);\nmodule.exports = 7;\n");
    writeFileSync(join(this.worktree, 'lib/fails.js'), "function deep() {\n  throw new RangeError('on purpose');\n}\ndeep();\n");
  }

  /** Starts it; again after a kill, where it was. */
  async start(): Promise<void> {
    this.#port ||= await freePort();
    const args = ['serve', '--db', join(this.home, 'vm.db'), '--listen', `127.0.0.1:${this.#port}`];
    const child = spawn(PROGRAM, args, { cwd: this.home, env: this.#env, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process = child;
    let log = '';
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the daemon does not say where it listens:\n${log}`)), START_MS);
      child.stderr?.on('data', (text: Buffer) => {
        log += text;
        if (/listening on .*\n/.test(log)) {
          clearTimeout(timer);
          resolve();
        }
      });
      child.on('error', reject);
      child.on('exit', (code) => reject(new Error(`the daemon has ended (${code}):\n${log}`)));
    });
    this.url = `http://127.0.0.1:${this.#port}`;
    ours.add(this.url);
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child === null || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      ...(body !== undefined && { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as T;
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer;
  }

  async template(settings: object = {}): Promise<string> {
    const name = `template ${Math.random().toString(36).slice(2, 8)}`;
    return (await this.ask<{ id: string }>('POST', '/templates', { name, ...settings })).id;
  }

  async session(settings: object = {}): Promise<Session> {
    const template_id = await this.template(settings);
    const body = { template_id, workspace_id: 'test', base_commit_oid: 'HEAD', worktree_path: this.worktree };
    return this.ask<Session>('POST', '/sessions', body);
  }

  run(session_id: string, input: string, detach = false): Promise<{ id: string; status: string }> {
    return this.ask('POST', '/executions/repl', { session_id, input, detach });
  }

  /** Reads all that a session has to tell, and returns how long that takes, in milliseconds. */
  async tell(session_id: string): Promise<number> {
    const begun = Date.now();
    const runs = await this.ask<{ metrics: { event_count: number } }[]>('GET', `/executions?session_id=${session_id}`);
    const expected = runs.reduce((sum, run) => sum + run.metrics.event_count, 0);
    const stop = new AbortController();
    const response = await fetch(`${this.url}/api/v1/sessions/${session_id}/events/stream`, { signal: stop.signal });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    // A line that is cut in two is missed, which is no matter for a time: what was the last is waited for no longer.
    for (let seen = 0; reader && seen < expected * 0.95; ) {
      const { done, value } = await reader.read();
      if (done) break;
      seen += value.match(/^id: /gm)?.length ?? 0;
    }
    stop.abort();
    return Date.now() - begun;
  }

  async gone(): Promise<void> {
    await this.kill();
    rmSync(this.home, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

export const test = base.extend<{ daemon: Daemon; foreign: string[] }>({
  daemon: async ({}, use) => {
    const daemon = new Daemon();
    await daemon.start();
    await use(daemon);
    await daemon.gone();
  },
  // Whatever a page asks of anybody else than its daemon, and whatever it complains about: nothing, in every test.
  foreign: [
    async ({ page }, use) => {
      const found: string[] = [];
      page.on('request', (request) => {
        const url = new URL(request.url());
        if (['http:', 'https:'].includes(url.protocol) && !ours.has(url.origin)) found.push(request.url());
      });
      page.on('pageerror', (error) => found.push(String(error)));
      page.on('console', (message) => {
        if (/Content Security Policy|Refused to/.test(message.text())) found.push(message.text());
      });
      await use(found);
      expect(found).toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

/** Where one types in a console. */
export const input = (page: Page) => page.getByRole('textbox', { name: 'Console input' });
export const log = (page: Page) => page.getByRole('log', { name: 'Console log' });

export async function openConsole(page: Page, daemon: Daemon, id: string): Promise<void> {
  await page.goto(`${daemon.url}/sessions/${id}`);
  await expect(page.getByText('Live', { exact: true })).toBeVisible();
  // The editor takes the place of a plain field.
  await expect(page.locator('.cm-content')).toBeVisible();
}

/** Types a line and runs it. */
export async function enter(page: Page, text: string): Promise<void> {
  await input(page).click();
  await page.keyboard.type(text);
  await page.keyboard.press('Enter');
}

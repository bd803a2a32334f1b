import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Runner } from './runner';

/** What the daemon answers, in turn; and what it was sent. */
let answers: (() => Response | Promise<Response>)[] = [];
let sent: { input: string; key: string }[] = [];

const accepted = (id: string) => () => Response.json({ id }, { status: 202 });
const refused = (status: number, code: string) => () => Response.json({ error: { code, message: code, details: {} } }, { status });
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

beforeEach(() => {
  answers = [];
  sent = [];
  vi.stubGlobal('location', { origin: 'http://localhost' });
  vi.stubGlobal('sessionStorage', { getItem: () => null });
  vi.stubGlobal('Request', class extends Request {
    constructor(input: string, init: RequestInit) {
      super(new URL(input, 'http://localhost'), init);
    }
  });
  vi.stubGlobal('fetch', async (request: Request) => {
    const { input } = (await request.json()) as { input: string };
    sent.push({ input, key: request.headers.get('Idempotency-Key') ?? '' });
    const answer = answers.shift();
    if (answer === undefined) throw new TypeError('nobody answers');
    return answer();
  });
});

afterEach(() => vi.unstubAllGlobals());

function runner() {
  const known = new Set<string>();
  const back: string[] = [];
  const state = { busy: false };
  const it = new Runner('S', { isBusy: () => state.busy, knows: (id) => known.has(id) }, (text) => back.push(text));
  return { it, known, back, state };
}

it('sends one input after the other, each once what was before it has ended', async () => {
  const { it: run, known, state } = runner();
  answers = [accepted('1'), accepted('2')];
  run.enter('a');
  run.enter('b');
  await settled();
  expect(sent.map(({ input }) => input)).toEqual(['a']);
  // The log tells that it runs, and then that it has ended.
  known.add('1');
  state.busy = true;
  run.look();
  await settled();
  expect(sent).toHaveLength(1);
  state.busy = false;
  run.look();
  await settled();
  expect(sent.map(({ input }) => input)).toEqual(['a', 'b']);
});

it('is not confused by a log that is faster than the answer', async () => {
  const { it: run, known } = runner();
  answers = [accepted('1')];
  known.add('1');
  run.enter('a');
  await settled();
  expect(run.state.get()).toMatchObject({ waiting: [], isSending: false, taken: null });
});

it('gives back what was refused, with what waited behind it', async () => {
  const { it: run, back } = runner();
  answers = [refused(409, 'SESSION_NOT_READY')];
  run.enter('a');
  run.enter('b');
  await settled();
  expect(back).toEqual(['a\nb']);
  expect(run.state.get().waiting).toEqual([]);
});

it('sends what nobody answered under the same key, so that it runs once', async () => {
  const { it: run, back } = runner();
  run.enter('a');
  await settled();
  expect(back).toEqual(['a']);
  answers = [accepted('1'), accepted('2')];
  run.enter('a');
  await settled();
  expect(sent[1]?.key).toBe(sent[0]?.key);
  expect(sent[0]?.key).toMatch(/^[0-9a-f]{32}$/);
});

it('keeps an input while somebody else has the session', async () => {
  const { it: run, back } = runner();
  answers = [refused(409, 'SESSION_BUSY'), accepted('1')];
  run.enter('a');
  await settled();
  expect(run.state.get().waiting).toHaveLength(1);
  await vi.waitFor(() => expect(sent).toHaveLength(2));
  expect(back).toEqual([]);
});

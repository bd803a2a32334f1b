/** Every page in both colour schemes: nothing that axe finds serious, and a picture for people to look at. */
import { mkdirSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import { expect, test } from './daemon';

const SHOTS = `${process.env.VM_SYSTEM_ARTEFACTS ?? 'test-results'}/shots`;

const INPUTS = [
  'let x = 20',
  'x * 2 + 2',
  'for (let i = 0; i < 5; i++) console.log("the same"); console.info("for your information"); console.warn("careful"); console.error("bad"); console.debug("detail")',
  'const user = { name: "Ada", tags: ["a", "b"], nested: { deep: { er: [1, 2, 3] } }, when: new Date(0), match: /x/g }; user.self = user; user',
  'new Map([["key", { a: 1 }], [2, new Set([1, 2])]])',
  'function f() { null.boom }\nf()',
  'await new Promise(done => setTimeout(done, 40)); "text\\nwith lines"',
];

for (const scheme of ['light', 'dark'] as const) {
  test(`every page can be used by everybody and is fit to be looked at, ${scheme}`, async ({ page, daemon }) => {
    test.setTimeout(240_000);
    mkdirSync(SHOTS, { recursive: true });
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
    const look = async (name: string, path: string | null, ready: string) => {
      if (path !== null) await page.goto(daemon.url + path);
      await expect(page.locator(ready).first()).toBeVisible();
      await page.screenshot({ path: `${SHOTS}/${name}-${scheme}.png` });
      const { violations } = await new AxeBuilder({ page }).analyze();
      const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
      const said = grave.map(({ id, nodes }) => `${name}: ${id}: ${nodes.map(({ html }) => html).slice(0, 3).join(' ')}`);
      expect(said).toEqual([]);
    };
    await look('sessions-empty', '/sessions', '.empty');
    await look('templates-empty', '/templates', '.empty');

    const session = await daemon.session();
    const closed = await daemon.session();
    await daemon.ask('POST', `/sessions/${closed.id}/close`);
    for (const input of INPUTS) await daemon.run(session.id, input);
    const [last] = await daemon.ask<{ id: string }[]>('GET', `/executions?session_id=${session.id}`);
    const at = `/sessions/${session.id}`;

    await look('sessions', '/sessions', 'tbody tr');
    await look('templates', '/templates', 'tbody tr');
    await look('template', `/templates/${session.template_id}`, '.library');
    await look('console', at, '.row.value');
    await page.locator('.cm-content').click();
    await page.keyboard.press('Control+r');
    await look('history-search', null, '.history-search');
    await page.keyboard.press('Escape');
    await look('console-closed', `/sessions/${closed.id}`, '.input.disabled');
    await look('executions', `${at}/executions`, 'tbody tr');
    await look('timeline', `${at}/timeline`, '.lane');
    await look('files', `${at}/files`, '.entry');
    await look('file', `${at}/files?path=lib/fails.js&line=2`, '.here');
    await look('info', `${at}/info`, '.command');
    await look('execution', `${at}/executions/${last?.id}`, '.row.value');
    await look('system', '/system', '.uplot');
    await look('reference', '/reference', '.operation');
    await page.locator('.operation summary').nth(8).click();
    await look('reference-open', null, '.operation-body');
    await look('new-template', '/templates?new=1', 'dialog');
    await look('new-session', '/sessions?new=1', 'dialog');
    await page.goto(`${daemon.url}/sessions`);
    await expect(page.locator('tbody tr').first()).toBeVisible();
    await page.keyboard.press('Control+k');
    await look('palette', null, '.palette li');
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await look('keys', null, '.keys');
    await look('not-found', '/nope', 'h1');
    await daemon.kill();
    await look('disconnected', null, '.banner');
  });
}

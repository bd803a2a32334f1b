/** What the pages show while the daemon is away, and after it has come back. */
import { enter, expect, log, openConsole, test } from './daemon';

test('a daemon that was killed and is back is found again, with nothing missing and nothing twice', async ({ page, daemon }) => {
  const { id } = await daemon.session();
  await openConsole(page, daemon, id);
  await enter(page, 'console.log("one"); "first"');
  await expect(log(page).getByText('"first"', { exact: true })).toBeVisible();
  await enter(page, 'console.log("begun"); await new Promise(r => setTimeout(r, 20000))');
  await expect(log(page).getByText('begun', { exact: true })).toBeVisible();
  // What a reader has seen is on disk a tenth of a second later.
  await page.waitForTimeout(300);

  await daemon.kill();
  await expect(page.getByText('The daemon does not answer.')).toBeVisible();
  await expect(page.getByText('Disconnected')).toBeVisible();
  await daemon.start();
  await expect(page.getByText('The daemon does not answer.')).toHaveCount(0);
  // The run that was cut off says so, and the session that is gone as well; each once.
  await expect(log(page).locator('[data-type=system]')).toHaveCount(1);
  await expect(page.getByRole('button', { name: 'Run', exact: true })).toBeDisabled();

  const shown = async () => (await log(page).locator('.row').allInnerTexts()).map((text) => text.replace(/\s*Details$/, '').trim());
  const before = await shown();
  expect(before.filter((text) => text.endsWith('one'))).toHaveLength(1);
  expect(before.filter((text) => text.endsWith('begun'))).toHaveLength(1);
  const told = await daemon.ask<{ id: string }[]>('GET', `/executions?session_id=${id}`);
  const events = await Promise.all(told.map(({ id }) => daemon.ask<object[]>('GET', `/executions/${id}/events`)));
  expect(before).toHaveLength(events.flat().length);
  await page.reload();
  await expect(log(page).locator('[data-type=system]')).toHaveCount(1);
  expect(await shown()).toEqual(before);
});

test('a line that is cut while a run goes on is taken up again', async ({ page, daemon, context }) => {
  const { id } = await daemon.session({ limits: { wall_ms: 30_000 } });
  await openConsole(page, daemon, id);
  await enter(page, 'for (let i = 1; i <= 30; i++) { console.log("tick " + i); await new Promise(r => setTimeout(r, 100)) }');
  await expect(log(page).getByText('tick 3', { exact: true })).toBeVisible();
  await context.setOffline(true);
  await expect(page.getByText('The daemon does not answer.')).toBeVisible();
  await context.setOffline(false);
  await expect(log(page).getByText('tick 30', { exact: true })).toBeVisible();
  await expect(log(page).locator('.row.console')).toHaveCount(30);
});

test('what could not be sent stays to be sent, and is run once', async ({ page, daemon, context }) => {
  const { id } = await daemon.session();
  await openConsole(page, daemon, id);
  await enter(page, 'let n = 0');
  await expect(log(page).getByText('undefined', { exact: true })).toBeVisible();
  await context.setOffline(true);
  await page.keyboard.type('++n');
  await page.keyboard.press('Control+Enter');
  await expect(page.getByRole('alert').getByText('NO_ANSWER')).toBeVisible();
  await expect(page.locator('.cm-content')).toContainText('++n');
  await context.setOffline(false);
  await expect(page.getByText('Live', { exact: true })).toBeVisible();
  await page.locator('.cm-content').click();
  await page.keyboard.press('Control+Enter');
  await expect(log(page).getByText('1', { exact: true })).toBeVisible();
});

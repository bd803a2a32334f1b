/** The other pages, and making things with them. */
import { Daemon, expect, test } from './daemon';

test('an empty database stays empty until somebody asks, and the keyboard is enough to ask', async ({ page, daemon }) => {
  const sent: string[] = [];
  page.on('request', (request) => {
    if (request.method() !== 'GET') sent.push(`${request.method()} ${new URL(request.url()).pathname}`);
  });
  const tabTo = async (name: string | RegExp) => {
    const target = page.getByRole('button', { name }).or(page.getByRole('link', { name }));
    for (let step = 0; step < 40; step += 1) {
      if (await target.evaluateAll((found) => found.some((element) => element === document.activeElement))) return;
      await page.keyboard.press('Tab');
    }
    throw new Error(`Tab does not lead to ${name}`);
  };
  for (const path of ['/', '/sessions', '/templates', '/system', '/reference']) {
    await page.goto(daemon.url + path);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  }
  await page.goto(`${daemon.url}/sessions`);
  await expect(page.getByText('No sessions yet')).toBeVisible();
  expect(sent).toEqual([]);

  await tabTo('Create a template');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog', { name: 'New template' })).toBeVisible();
  await page.keyboard.type('by keyboard');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: /by keyboard/ })).toBeVisible();
  expect(sent).toEqual(['POST /api/v1/templates']);

  await tabTo('New session');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('textbox', { name: 'Worktree path' })).toBeFocused();
  await page.keyboard.type('relative');
  await page.keyboard.press('Enter');
  await expect(page.getByText('must be an absolute path')).toBeVisible();
  await page.keyboard.press('Control+a');
  await page.keyboard.type(daemon.worktree);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/sessions\/[0-9a-f-]{36}$/);
  await expect(page.locator('.cm-content')).toBeFocused();
  await page.keyboard.type('6 * 7');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('log').getByText('42', { exact: true })).toBeVisible();
});

test('a template is edited in place, and what is wrong is said where it is', async ({ page, daemon }) => {
  const id = await daemon.template();
  await page.goto(`${daemon.url}/templates/${id}`);
  const memory = page.getByRole('textbox', { name: 'Memory' });
  await memory.fill('-1');
  await memory.press('Enter');
  await expect(memory).toHaveAttribute('aria-invalid', 'true');
  await memory.fill('256');
  await memory.press('Enter');
  await expect(page.getByText('Saved, for new sessions')).toBeVisible();
  await page.getByRole('checkbox', { name: /^fs / }).click();
  await expect(page.getByRole('checkbox', { name: /^fs / })).toBeChecked();
  await page.getByRole('textbox', { name: 'Capability name' }).fill('STAGE');
  await page.getByRole('combobox', { name: 'Kind' }).selectOption('env');
  await page.getByRole('textbox', { name: 'Configuration' }).fill('{"value": "test"}');
  await page.getByRole('button', { name: 'Add capability' }).click();
  await expect(page.getByRole('rowheader', { name: 'STAGE' })).toBeVisible();
  const detail = await daemon.ask<{ settings: { limits: { mem_mb: number } }; template: { exposed_modules: string[] } }>(
    'GET',
    `/templates/${id}`,
  );
  expect(detail.settings.limits.mem_mb).toBe(256);
  expect(detail.template.exposed_modules).toEqual(['fs']);

  await page.getByRole('button', { name: 'Duplicate' }).click();
  await page.getByRole('textbox', { name: 'Name' }).last().fill('a copy');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: /a copy/ })).toBeVisible();
  await expect(page.getByRole('rowheader', { name: 'STAGE' })).toBeVisible();
  await expect(page.getByRole('textbox', { name: 'Memory' })).toHaveValue('256');
});

test('sessions are filtered by the address, and closed several at a time', async ({ page, daemon }) => {
  const [first, second] = [await daemon.session(), await daemon.session()];
  await daemon.run(first.id, '1');
  await daemon.ask('POST', `/sessions/${(await daemon.session()).id}/close`);
  await page.goto(`${daemon.url}/sessions?status=ready`);
  await expect(page.getByRole('row')).toHaveCount(3);
  await page.getByRole('searchbox', { name: 'Search sessions' }).fill(second.id);
  await expect(page.getByRole('row')).toHaveCount(2);
  await expect(page).toHaveURL(new RegExp(`q=${second.id}`));
  await page.reload();
  await expect(page.getByRole('row')).toHaveCount(2);
  await page.getByRole('searchbox', { name: 'Search sessions' }).fill('');
  await page.getByRole('checkbox', { name: 'Choose all that are alive' }).check();
  await page.getByRole('button', { name: 'Close 2 sessions' }).click();
  await page.getByRole('button', { name: 'Yes, close them' }).click();
  await expect(page.getByText('No session is ready.')).toBeVisible();
});

test('a file of the worktree is found, run with arguments, and its stack leads back to it', async ({ page, daemon }) => {
  const { id } = await daemon.session();
  await page.goto(`${daemon.url}/sessions/${id}/files`);
  await page.getByRole('button', { name: /main\.js/ }).click();
  await page.getByRole('textbox', { name: 'Arguments (JSON object)' }).fill('{"n": 7}');
  await page.getByRole('button', { name: 'Run file' }).click();
  await expect(page.getByRole('log').getByText(/from main/)).toBeVisible();
  await page.getByRole('link', { name: 'Run file' }).click();
  await page.getByRole('button', { name: /^lib/ }).click();
  await page.getByRole('button', { name: /fails\.js/ }).click();
  await page.getByRole('button', { name: 'Run file' }).click();
  await page.getByRole('link', { name: /lib\/fails\.js:2/ }).click();
  await expect(page.locator('.source-lines .here')).toContainText("throw new RangeError('on purpose')");
});

test('the palette and the list of keys are a key away, and what is not there is said to be so', async ({ page, daemon }) => {
  const { id } = await daemon.session();
  await page.goto(`${daemon.url}/templates`);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keys' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await page.keyboard.press('Control+k');
  await expect(page.getByRole('combobox')).toBeFocused();
  await page.keyboard.type(id.slice(-8));
  await expect(page.getByRole('option')).toHaveCount(1);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(`${daemon.url}/sessions/${id}`);
  const nobody = '01950000-0000-7000-8000-000000000000';
  for (const path of ['/nope', `/sessions/${nobody}`, `/templates/${nobody}`, `/sessions/${id}/executions/${nobody}`, '/sessions/x']) {
    await page.goto(daemon.url + path);
    await expect(page.getByRole('heading', { name: /There is no such/ })).toBeVisible();
  }
});

test('an operation is tried from the reference, and a refusal bears the id of its request', async ({ page, daemon }) => {
  await page.goto(`${daemon.url}/reference?q=getSession`);
  await page.locator('summary').first().click();
  await page.getByRole('textbox', { name: 'session_id' }).fill('01950000-0000-7000-8000-000000000000');
  await page.getByRole('button', { name: 'Try it' }).click();
  await expect(page.getByText('404 Not Found')).toBeVisible();
  await expect(page.getByRole('region', { name: 'Answer' })).toContainText('SESSION_NOT_FOUND');
});

test('a token is asked for once, and kept for the tab', async ({ page }) => {
  const daemon = new Daemon({ VM_SYSTEM_TOKEN: 'correct-horse-battery-staple' });
  try {
    await daemon.start();
    await page.goto(`${daemon.url}/sessions`, { waitUntil: 'load' });
    await page.getByLabel('Token', { exact: true }).fill('something-else-entirely');
    await page.keyboard.press('Enter');
    await expect(page.getByText('The daemon does not take the token')).toBeVisible();
    await page.getByLabel('Token', { exact: true }).fill('correct-horse-battery-staple');
    await page.keyboard.press('Enter');
    await expect(page.getByText('No sessions yet')).toBeVisible();
    await page.reload();
    await expect(page.getByText('No sessions yet')).toBeVisible();
    await expect(page.getByRole('dialog')).toHaveCount(0);
  } finally {
    await daemon.gone();
  }
});

/** The UI in a browser, against the daemon that has it. `cargo xtask browse` says where both are. */
import { defineConfig } from '@playwright/test';

const artefacts = process.env.VM_SYSTEM_ARTEFACTS ?? 'test-results';

export default defineConfig({
  testDir: 'tests/e2e',
  outputDir: `${artefacts}/results`,
  // Each has a daemon of its own; two at once are what a small machine takes.
  fullyParallel: true,
  workers: 2,
  forbidOnly: true,
  retries: 0,
  timeout: 60_000,
  // The first few faults say enough.
  maxFailures: 5,
  expect: { timeout: 10_000 },
  reporter: [['list']],
  use: {
    screenshot: 'only-on-failure',
    viewport: { width: 1280, height: 800 },
    // The clipboard is where commands are copied to.
    permissions: ['clipboard-read', 'clipboard-write'],
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      // Who is root has no sandbox of Chromium's; nothing but our own page is shown.
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    },
  },
});

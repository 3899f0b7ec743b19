import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: 'test',
  timeout: 120_000,
  expect: { timeout: 30_000 },
  workers: 1,
  forbidOnly: true,
  reporter: 'list',
  use: {
    baseURL: 'http://127.0.0.1:4173',
    launchOptions: {
      executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
      args: ['--no-sandbox'],
    },
  },
  webServer: { command: 'npm run preview', url: 'http://127.0.0.1:4173' },
});

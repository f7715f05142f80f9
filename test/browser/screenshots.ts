// `npm run screenshots`: the pictures of the dashboard in the README, taken from the account of the tests.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Tenant } from "../harness/tenant.ts";
import { until } from "../harness/until.ts";
import { launchChromium, signIn } from "./harness/chromium.ts";
import { serveStory } from "./harness/serve.ts";

const FOLDER = join(import.meta.dirname, "../../docs/images");
const SIZE = { width: 1200, height: 780 };

/** How far the browser's clock is ahead: nobody has to wait until something is worth a look. */
const AHEAD_MS = 3 * 60_000;

const { url, account, stop } = await serveStory({ size: 50_000, hostile: false, keys: 4 });
const browser = await launchChromium();
try {
  const [apiKey = ""] = account.apiKeys;
  const tenant = new Tenant({ url, id: account.id, apiKey, signingSecret: "" });
  const overdue = async () =>
    (await tenant.get<{ overdue: { count: number } }>("/v1/overview?window=15m")).overdue.count > 0;
  await until(overdue, 60_000, () => "Nothing is overdue", 1_000);
  mkdirSync(FOLDER, { recursive: true });
  for (const colorScheme of ["light", "dark"] as const) {
    const context = await browser.newContext({ viewport: SIZE, colorScheme, timezoneId: "Europe/Berlin" });
    await signIn(context.request, url, apiKey);
    const page = await context.newPage();
    await page.clock.install({ time: Date.now() + AHEAD_MS });
    await page.goto(`${url}/dashboard`);
    await page.locator(".verdict").waitFor();
    await page.screenshot({ path: join(FOLDER, `dashboard-${colorScheme}.png`) });
    await context.close();
  }
} finally {
  await browser.close();
  await stop();
}

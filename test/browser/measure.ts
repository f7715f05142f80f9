// `npm run dashboard:measure`: how long each screen takes to show its content with 50,000 jobs stored, from the address to the content,
// everything loaded anew. A figure for people to look at on a quiet machine; what must hold everywhere is in the tests.

import { Tenant } from "../harness/tenant.ts";
import { launchChromium, signIn } from "./harness/chromium.ts";
import { knownOf, SCREENS } from "./harness/screens.ts";
import { serveStory } from "./harness/serve.ts";

const JOBS = 50_000;
const TIMES = 7;

const { url, account, stop } = await serveStory({ size: JOBS, hostile: false, keys: 24 });
const browser = await launchChromium();
try {
  const key = (n: number) => account.apiKeys[n % account.apiKeys.length] ?? "";
  const known = await knownOf(new Tenant({ url, id: account.id, apiKey: key(0), signingSecret: "" }));
  console.log(
    `${JOBS.toLocaleString("en-GB")} jobs stored. Milliseconds until a screen shows its content, ${TIMES} times each:\n`,
  );
  console.log(`${"".padEnd(18)}fastest  median  slowest  requests`);
  for (const [n, { name, path, content }] of SCREENS.entries()) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    await signIn(context.request, url, key(n + 1));
    const times: number[] = [];
    let requests = 0;
    for (let i = 0; i < TIMES; i++) {
      const page = await context.newPage();
      let asked = 0;
      page.on("request", (request) => {
        if (request.resourceType() === "fetch") asked += 1;
      });
      const from = performance.now();
      await page.goto(`${url}/dashboard${path(known)}`, { waitUntil: "commit" });
      await content(page).waitFor();
      times.push(performance.now() - from);
      requests = Math.max(requests, asked);
      await page.close();
    }
    await context.close();
    times.sort((a, b) => a - b);
    const shown = [times[0], times[Math.floor(TIMES / 2)], times.at(-1)].map((ms) => Math.round(ms ?? 0).toString());
    const [fastest = "", median = "", slowest = ""] = shown;
    console.log(
      `${name.padEnd(18)}${fastest.padStart(7)} ${median.padStart(7)} ${slowest.padStart(8)} ${`${requests}`.padStart(9)}`,
    );
  }
} finally {
  await browser.close();
  await stop();
}

// The overview: what it says first, where a bar leads, and how failures are shown and retried.

import { expect } from "vitest";
import { until } from "../harness/until.ts";
import { it, newTenant, storedAccount, storedTenant } from "./harness/dashboard.ts";

it("a bar leads to its jobs, by mouse and by keyboard, and the window is in the address", async ({ open }) => {
  const { page } = await open("/dashboard");
  await page.getByRole("button", { name: "24 h" }).click();
  await expect.poll(() => new URL(page.url()).search).toBe("?window=24h");
  const chart = page.getByRole("figure", { name: "Attempts", exact: true });
  const bars = chart.getByRole("link");
  await expect.poll(() => bars.count()).toBeGreaterThan(90);
  const before = bars.nth(60);
  const words = (await before.getAttribute("aria-label")) ?? "";
  expect(words).toMatch(/^\d\d:\d\d to \d\d:\d\d: [\d,]+ started, [\d,]+ completed/);
  await before.hover();
  await chart.getByText(words).first().waitFor();
  await before.focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  expect(await page.evaluate("document.activeElement.getAttribute('aria-label')")).toBe(
    await bars.nth(59).getAttribute("aria-label"),
  );
  const started = Number(/: ([\d,]+) started/.exec((await bars.nth(59).getAttribute("aria-label")) ?? "")?.[1]);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/dashboard/jobs?*");
  const { searchParams } = new URL(page.url());
  const length =
    Date.parse(searchParams.get("scheduled_before") ?? "") - Date.parse(searchParams.get("scheduled_after") ?? "");
  expect(length).toBe(15 * 60_000 + 1);
  // Those that were cancelled never started; those that were late started in the next bar.
  await page.locator("tbody tr").first().waitFor();
  const listed = await page.locator("tbody tr").count();
  expect(listed).toBeGreaterThan(0.8 * Math.min(50, started));
  await page.goBack();
  await expect.poll(() => new URL(page.url()).search).toBe("?window=24h");
  await chart.waitFor();
});

it("shows the counts as a table as well", async ({ open }) => {
  const { page } = await open("/dashboard?window=15m");
  await page.getByText("As a table").click();
  await expect.poll(() => page.locator("tbody tr").count()).toBe(15);
  const total = await page.locator(".key.completed").innerText();
  const cells = await page.locator("tbody tr td:nth-child(3)").allInnerTexts();
  const number = (text: string) => Number(text.replaceAll(",", "").split(" ")[0]);
  expect(cells.reduce((sum, cell) => sum + number(cell), 0)).toBe(number(total));
});

it("shows the jobs of a group of failures, and only those", async ({ open }) => {
  const { page } = await open("/dashboard?window=1h");
  await page.getByRole("link", { name: "Show jobs: http_status from billing.example" }).click();
  await page.waitForURL("**/dashboard/jobs?*");
  await page.locator("tbody tr").first().waitFor();
  const rows = await page.locator("tbody tr").allInnerTexts();
  expect(rows.length).toBeGreaterThan(20);
  for (const row of rows) expect(row).toMatch(/failed[\s\S]*billing\.example[\s\S]*The target answered/);
});

it("counts first, and retries what failed with this code in this handler", async ({ open }) => {
  const tenant = await newTenant();
  const fail = async (handler: string, count: number) => {
    const jobs = Array.from({ length: count }, (_, i) => ({ name: `${handler} ${i}`, handler, max_retries: 0 }));
    await tenant.post("/v1/jobs/batch", { jobs });
    for (let failed = 0; failed < count; failed++) await tenant.say("fail", await tenant.mustClaim(handler));
  };
  await fail("breaks", 3);
  await fail("breaks-too", 1);
  const failures = async () => (await tenant.get<unknown[]>("/v1/jobs?status=failed")).length;
  await until(
    async () => (await failures()) === 4,
    10_000,
    () => "The list does not show four failures",
  );

  const { page } = await open("/dashboard", { apiKey: tenant.apiKey });
  await page.getByRole("button", { name: "Retry all: handler_error in breaks", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("3 jobs").first().waitFor();
  expect(await failures()).toBe(4);
  await dialog.getByRole("button", { name: "Retry 3 jobs" }).click();
  await page.getByText("3 jobs retried.").waitFor();
  await until(
    async () => (await failures()) === 1,
    10_000,
    () => "The three are not retried",
  );
  expect(await tenant.get<{ handler: string }[]>("/v1/jobs?status=failed")).toMatchObject([{ handler: "breaks-too" }]);
});

it("does not move what somebody is about to click", async ({ open }) => {
  const { page } = await open("/dashboard", { before: (page) => page.clock.install() });
  const lowest = page.getByRole("button", { name: /^Retry all: / }).last();
  await lowest.waitFor();
  const name = (await lowest.getAttribute("aria-label")) ?? "";
  const retry = page.getByRole("button", { name, exact: true });
  const place = async () => ((await retry.boundingBox())?.y ?? 0) + (await page.evaluate<number>("scrollY"));
  const before = await place();
  // From now on it is what fails most, and stands first.
  await page.route(/overview\?window=1h/, async (route) => {
    const response = await route.fetch();
    const answer = await response.json();
    for (const group of answer.data.failing)
      if (name.includes(group.error_code) && name.endsWith(group.host ?? group.handler)) group.count += 100_000;
    await route.fulfill({ response, json: answer });
  });
  await page.clock.runFor(7_000);
  await retry.hover();
  const answered = page.waitForResponse(/overview\?window=1h/);
  await page.clock.runFor(3_500);
  await (await answered).finished();
  await page.clock.runFor(200);
  expect(await place()).toBe(before);
  await page.clock.runFor(4_000);
  await expect.poll(place).toBeLessThan(before);
});

it("of an account without jobs says that all is quiet, and how to begin", async ({ open }) => {
  const { apiKey } = await newTenant();
  const { page } = await open("/dashboard", { apiKey });
  await page.getByRole("heading", { level: 1, name: /^All quiet: nothing ran/ }).waitFor();
  await page.getByText("No attempt has failed.").waitFor();
  await page.getByText("Nothing is overdue.").waitFor();
  await page.getByRole("link", { name: "Create a job" }).click();
  await page.getByRole("heading", { level: 1, name: "New job" }).waitFor();
});

it("offers nothing to a session that may only read", async ({ open }) => {
  const { page } = await open("/dashboard", { apiKey: storedAccount().readOnlyKey });
  await page
    .getByRole("link", { name: /^Show jobs: http_status/ })
    .first()
    .waitFor();
  expect(await page.getByRole("button", { name: /^Retry all/ }).count()).toBe(0);
});

// The last one: a job is late ten seconds after it was due, and by now those that wait for a worker are.
it("says first what has to be done: nobody asks for a handler", async ({ open }) => {
  const { page } = await open("/dashboard");
  const verdict = page.getByRole("heading", { level: 1 });
  await verdict.filter({ hasText: /^\d+ jobs late by up to .+: no worker asks for send-mail\./ }).waitFor();
  await page.getByRole("link", { name: "See workers" }).click();
  const abandoned = page.getByRole("listitem").filter({ hasText: "send-mail" });
  await abandoned.getByText("No worker asks for it.").waitFor();
  // While somebody looks, the service has the names of workers in memory. What it stored is up to half a minute behind.
  const claim = { handlers: ["resize-image"], wait_time_seconds: 0, worker_id: "in Leipzig" };
  await storedTenant().post("/v1/worker/jobs/claim", claim);
  await page.getByRole("listitem").filter({ hasText: "resize-image" }).getByText("in Leipzig").waitFor();
});

// Schedules: the form with its preview across both changes of the clocks, and what is done to a schedule.

import type { Page } from "playwright-core";
import { expect } from "vitest";
import { it, newTenant } from "./harness/dashboard.ts";
import { HOSTILE } from "./harness/story.ts";

const fill = async (page: Page, label: string, value: string) => page.getByLabel(label, { exact: true }).fill(value);

/** The runs of the preview, as they are read, with the sentences between them. */
const previewed = async (page: Page): Promise<string[]> =>
  (await page.locator(".run-list > li").allInnerTexts()).map((text) => text.replaceAll(/\s+/g, " "));

it("previews both nights in which the clocks change while one types, and creates it", async ({ open }) => {
  const tenant = await newTenant();
  const { page } = await open("/dashboard/schedules", { apiKey: tenant.apiKey, allow: /422/ });
  await page.getByRole("link", { name: "Create the first one" }).click();
  await fill(page, "Cron expression", "30 1 * 3,10 SUN");
  await fill(page, "Time zone", "Europe/London");
  // Of the two months with nine Sundays or so, both changes are among the next ten runs.
  await expect.poll(() => page.locator(".change").count()).toBe(2);
  const runs = await previewed(page);
  const spring = runs.find((run) => run.includes("go forward")) ?? "";
  expect(spring).toMatch(/^Clocks go forward on \d{4}-03-\d\d: 01:00 becomes 02:00\. Sun \d{4}-03-\d\d 02:00 \+01:00 /);
  expect(spring).toContain("The first moment after the hour that does not exist that day.");
  const autumn = runs.findIndex((run) => run.includes("This time comes twice that day; this is the first."));
  expect(runs[autumn]).toMatch(/Sun \d{4}-10-\d\d 01:30 \+01:00/);

  await fill(page, "Cron expression", "30 25 * * *");
  await page.getByText("No preview:").waitFor();
  expect(await page.getByLabel("Cron expression").getAttribute("aria-invalid")).toBe("true");
  expect((await previewed(page)).length, "what was shown last stays").toBeGreaterThan(5);

  await fill(page, "Cron expression", "30 1 * * *");
  await page.getByText("No preview:").waitFor({ state: "hidden" });
  await fill(page, "Name", HOSTILE);
  await page.getByRole("button", { name: "Create schedule" }).click();
  await page.getByText("Is required when the delivery is pull").first().waitFor();
  await fill(page, "Handler", "nightly");
  await fill(page, "Payload", `{ "big": 12345678901234567890, "html": "${HOSTILE.replaceAll('"', '\\"')}" }`);
  await page.getByRole("button", { name: "Create schedule" }).click();
  await page.getByRole("heading", { level: 1, name: HOSTILE }).waitFor();
  await page.getByText("12345678901234567890").waitFor();
  expect(await page.title()).not.toContain("owned");
  const [made] = await tenant.get<{ name: string; cron: string; timezone: string }[]>("/v1/schedules");
  expect(made).toMatchObject({ name: HOSTILE, cron: "30 1 * * *", timezone: "Europe/London" });
});

it("is paused, resumed, triggered, changed and archived", async ({ open }) => {
  const tenant = await newTenant();
  const asked = { name: "hourly", handler: "hourly", cron: "0 * * * *", payload: { n: 1 }, runs: 9 };
  const { id } = await tenant.post<{ id: string }>("/v1/schedules", asked);
  const now = () => tenant.get<Record<string, unknown>>(`/v1/schedules/${id}`);
  const { page } = await open(`/dashboard/schedules/${id}`, { apiKey: tenant.apiKey });
  await page.getByText("It has not run yet.").waitFor();

  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("heading", { name: "Next runs, if it were resumed now" }).waitFor();
  expect(await now()).toMatchObject({ status: "paused", next_run_at: null });
  await page.getByRole("button", { name: "Resume" }).click();
  await page.getByRole("heading", { name: "Next runs", exact: true }).waitFor();
  expect(await now()).toMatchObject({ status: "active" });

  await page.getByRole("button", { name: "Trigger now" }).click();
  const mark = page.getByRole("list", { name: /^The last run: / }).getByRole("link", { name: /triggered by hand/ });
  await mark.waitFor();
  const [job] = await tenant.get<{ id: string }[]>(`/v1/jobs?schedule_id=${id}`);
  expect(await mark.getAttribute("href")).toBe(`/dashboard/jobs/${job?.id}`);

  await page.getByRole("link", { name: "Edit" }).click();
  await fill(page, "Runs at most", "");
  await page.getByRole("button", { name: "Save changes" }).click();
  await page.getByText("The number of runs can be changed, but not removed.").first().waitFor();
  await fill(page, "Runs at most", "7");
  await fill(page, "Tags", "a, b");
  await page.getByRole("button", { name: "Save changes" }).click();
  await page.getByText("of 7 runs").waitFor();
  expect(await now()).toMatchObject({ runs: 7, tags: ["a", "b"], payload: { n: 1 }, cron: "0 * * * *" });

  await page.getByRole("button", { name: "Archive" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Archive" }).click();
  await page.getByText("There are none.").waitFor();
  expect(await now()).toMatchObject({ status: "archived" });
  expect(await page.getByRole("button", { name: "Trigger now" }).count()).toBe(0);
});

it("lists by status, page by page, with the filter in the address", async ({ open }) => {
  const { page } = await open("/dashboard/schedules");
  const rows = page.locator(".schedule-rows > li:not(.head)");
  await expect.poll(() => rows.count()).toBe(25);
  await page.getByRole("link", { name: "Next" }).click();
  await page.getByText("Page 2 of 2").waitFor();
  await page.getByRole("button", { name: "paused" }).click();
  await expect.poll(() => rows.allInnerTexts()).toEqual([expect.stringContaining("price feed")]);
  expect(new URL(page.url()).search).toBe("?status=paused");
  await page.goBack();
  await page.getByText("Page 2 of 2").waitFor();
  await page.goBack();
  await rows
    .filter({ hasText: "sync inventory" })
    .filter({ hasText: "2 missed" })
    .filter({ hasText: "5 skipped" })
    .waitFor();
});

it("shows the last twenty runs as marks, each with its job behind it", async ({ open }) => {
  const { page } = await open("/dashboard/schedules");
  await page.getByRole("link", { name: "sync inventory" }).click();
  const marks = page.getByRole("list", { name: /^The last 20 runs, oldest first: / }).getByRole("link");
  await expect.poll(() => marks.count()).toBe(20);
  const times = (await marks.allInnerTexts()).map((words) => words.slice(0, 16));
  expect(times).toEqual(times.toSorted());
  await marks.last().click();
  await page.getByRole("heading", { level: 1, name: "sync inventory" }).waitFor();
  expect(new URL(page.url()).pathname).toMatch(/^\/dashboard\/jobs\//);
});

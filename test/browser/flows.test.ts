// Flows: a new one, its limits, pause and resume, the jobs in line, and how a job leads to its flow.

import type { Page } from "playwright-core";
import { expect } from "vitest";
import { it, newTenant } from "./harness/dashboard.ts";
import { HOSTILE } from "./harness/story.ts";

const fill = async (page: Page, label: string, value: string) => page.getByLabel(label, { exact: true }).fill(value);

const pathOf = (key: string) => `/v1/flows/${encodeURIComponent(key)}`;

it("is made, changed, paused, resumed and deleted, whatever its key", async ({ open }) => {
  const tenant = await newTenant();
  const key = `a/b ${HOSTILE}`;
  const now = () => tenant.get<Record<string, unknown>>(pathOf(key));
  const { page } = await open("/dashboard/flows", { apiKey: tenant.apiKey, allow: /404|422/ });
  await page.getByText("No flows yet").waitFor();
  await page.getByRole("button", { name: "New flow" }).click();
  await fill(page, "Key", key);
  await fill(page, "Attempts at once", "0");
  await fill(page, "Starts at most", "100");
  await page.getByRole("button", { name: "Set limits" }).click();
  await page.getByRole("dialog").getByRole("alert").waitFor();
  expect(await page.getByLabel("Attempts at once").getAttribute("aria-invalid")).toBe("true");
  await fill(page, "Attempts at once", "5");
  await page.getByRole("button", { name: "Set limits" }).click();
  await page.getByRole("heading", { level: 1, name: key }).waitFor();
  expect(await now()).toMatchObject({ concurrency: 5, rate: { limit: 100, period: { value: 1, unit: "minute" } } });

  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("button", { name: "Resume" }).waitFor();
  expect(await now()).toMatchObject({ paused: true });

  await page.getByRole("button", { name: "Change limits" }).click();
  await fill(page, "Attempts at once", "");
  await fill(page, "Pauses after failures in a row", "10");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("after 10 failures in a row, for 1 minute").waitFor();
  expect(await now(), "a change of limits ends no pause").toMatchObject({ concurrency: null, paused: true });
  await page.getByRole("button", { name: "Resume" }).click();
  await page.getByRole("button", { name: "Pause" }).waitFor();
  expect(await now()).toMatchObject({ paused: false });

  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("button", { name: "Delete flow" }).click();
  await page.getByText("No flows yet").waitFor();
  expect((await tenant.call("GET", pathOf(key))).status).toBe(404);
});

it("shows what waits, in the order in which it is due; a job says its place and leads there", async ({ open }) => {
  const tenant = await newTenant();
  const limits = { paused: true, concurrency: 1 };
  expect((await tenant.call("PUT", pathOf("held"), limits)).status).toBeLessThan(300);
  const ids: string[] = [];
  for (const name of ["first", "second"]) ids.push((await tenant.create({ name, handler: "h", flow: "held" })).id);
  const { page } = await open(`/dashboard/jobs/${ids[1]}`, { apiKey: tenant.apiKey });
  await page.getByRole("link", { name: "Look at the flow" }).click();
  await page.getByRole("heading", { level: 1, name: "held" }).waitFor();
  const line = page.getByRole("region", { name: "In line" }).getByRole("listitem");
  await expect
    .poll(() => line.allInnerTexts())
    .toEqual([expect.stringContaining("first"), expect.stringContaining("second")]);
  await page.getByText("2, the oldest for").waitFor();
  await page.getByRole("link", { name: "Flows", exact: true }).first().click();
  const row = page.locator(".flow-rows > li:not(.head)");
  await row.filter({ hasText: "1 at once" }).filter({ hasText: "paused" }).waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Resume" }).click();
  // The first is offered to workers, and holds the only slot.
  await expect.poll(() => line.allInnerTexts()).toEqual([expect.stringContaining("second")]);
});

it("that nobody has defined says so; a session that only reads sees no actions", async ({ open }) => {
  const tenant = await newTenant();
  const { page } = await open("/dashboard/flows/nobody", { apiKey: tenant.apiKey, allow: /404/ });
  await page.getByText("Nobody has defined this flow").waitFor();
  await page.getByRole("button", { name: "Set limits" }).waitFor();
  const { key } = await tenant.post<{ key: string }>("/v1/api-keys", { name: "reads", scope: "read" });
  const reader = await open("/dashboard/flows/nobody", { apiKey: key, allow: /404/ });
  await reader.page.getByText("Nobody has defined this flow").waitFor();
  expect(await reader.page.getByRole("main").getByRole("button").count()).toBe(0);
});

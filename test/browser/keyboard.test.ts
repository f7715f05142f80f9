// The jobs by keyboard alone.

import type { Page } from "playwright-core";
import { expect } from "vitest";
import type { Claimed } from "../harness/tenant.ts";
import { it, newTenant } from "./harness/dashboard.ts";

const focused = (page: Page) => page.evaluate<string>("document.activeElement.textContent");

/** As a screen reader would say it. */
const LABEL = `{
  const now = document.activeElement;
  now.labels?.[0]?.textContent ?? now.getAttribute("aria-label") ?? now.textContent;
}`;

/** Goes on with Tab until it is reached, as somebody does who has no mouse. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let pressed = 0; pressed < 60; pressed += 1) {
    const label = await page.evaluate<string>(LABEL);
    if (label === name) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not lead to ${name}`);
}

it("walks, selects, opens, searches and comes back", async ({ open }) => {
  const tenant = await newTenant();
  for (const name of ["one", "two", "three"])
    await tenant.post("/v1/jobs", {
      ...{ name, handler: "h", idempotency_key: `key of ${name}`, delay: { value: 1, unit: "day" } },
    });
  const { page } = await open("/dashboard/jobs", { apiKey: tenant.apiKey });
  await page.getByRole("link", { name: "one" }).waitFor();
  await page.keyboard.press("j");
  expect(await focused(page)).toBe("three");
  await page.keyboard.press("x");
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  expect(await focused(page)).toBe("one");
  await page.keyboard.press("X");
  await page.getByText("3 selected").waitFor();
  await page.keyboard.press("k");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "two" }).waitFor();
  await page.goBack();
  await expect.poll(() => focused(page)).toBe("two");

  await page.keyboard.press("/");
  await page.keyboard.type("key of three");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "three" }).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("no such key");
  await page.keyboard.press("Enter");
  await page.getByText("Nothing has this id or key.").waitFor();
  await page.keyboard.press("Escape");

  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).getByText("Go to jobs").waitFor();
  await page.keyboard.press("Escape");
  await expect.poll(() => page.getByRole("dialog").count()).toBe(0);
  await page.keyboard.press("g");
  await page.keyboard.press("j");
  await page.getByRole("heading", { level: 1, name: "Jobs" }).waitFor();
});

it("walks through the attempts of a job, and opens one", async ({ open }) => {
  const tenant = await newTenant();
  const { id } = await tenant.post<{ id: string }>("/v1/jobs", { name: "pulled", handler: "h" });
  for (const _ of [1, 2]) {
    const { execution_id } = await tenant.post<Claimed>("/v1/worker/jobs/claim", { handlers: ["h"] });
    const error = { message: "no" };
    await tenant.post(`/v1/worker/jobs/${id}/fail`, { execution_id, error, retryable: false });
    await tenant.post(`/v1/jobs/${id}/retry`, {});
  }
  const { page } = await open(`/dashboard/jobs/${id}`, { apiKey: tenant.apiKey });
  const first = page.locator("button.attempt").first();
  await first.waitFor();
  await page.keyboard.press("j");
  expect(await first.evaluate((button) => button.matches(":focus"))).toBe(true);
  expect(await first.getAttribute("aria-expanded")).toBe("false");
  await page.keyboard.press("Enter");
  await expect.poll(() => first.getAttribute("aria-expanded")).toBe("true");
  await page.keyboard.press("j");
  expect(
    await page
      .locator("button.attempt")
      .nth(1)
      .evaluate((button) => button.matches(":focus")),
  ).toBe(true);
});

it("finds a job by its id", async ({ open }) => {
  const tenant = await newTenant();
  const { id } = await tenant.post<{ id: string }>("/v1/jobs", { name: "wanted", handler: "h" });
  const { page } = await open("/dashboard/jobs", { apiKey: tenant.apiKey });
  await page.getByRole("link", { name: "wanted" }).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type(id.toUpperCase());
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "wanted" }).waitFor();
});

it("makes a job, cancels it, and takes single keys as letters in a field", async ({ open }) => {
  const tenant = await newTenant();
  const { page } = await open("/dashboard/jobs", { apiKey: tenant.apiKey });
  await page.getByText("No jobs yet").waitFor();
  await page.keyboard.press("n");
  await page.getByRole("heading", { name: "New job" }).waitFor();
  await tabTo(page, "Name");
  await page.keyboard.type("jkx/?n");
  await tabTo(page, "Handler");
  await page.keyboard.type("h");
  await tabTo(page, "Create the job");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "jkx/?n" }).waitFor();
  await page.locator("header .badge.queued").waitFor();
  await tabTo(page, "Cancel");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Cancel this job?" }).waitFor();
  await tabTo(page, "Cancel the job");
  await page.keyboard.press("Enter");
  await page.locator("header .badge.cancelled").waitFor();
});

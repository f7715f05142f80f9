// All screens of the dashboard, each with what tells that its content is there.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import type { Tenant } from "../../harness/tenant.ts";

export interface ScreenCase {
  readonly name: string;
  /** As the dashboard's own table has it: below the dashboard, `:id` for one part. */
  readonly pattern: string;
  readonly path: (known: Known) => string;
  /** Seen once the screen has its content. */
  readonly content: (page: Page) => Locator;
}

/** What there is to look at in the stored account. */
export interface Known {
  readonly failedJobId: string;
  readonly pendingJobId: string;
  readonly scheduleId: string;
}

/** Made by whoever looks at the screens: the story has jobs, and no object behind them. */
const FLOW = "/v1/flows/mail%20provider";

export async function knownOf(tenant: Tenant): Promise<Known> {
  const idOf = async (list: string, name?: string): Promise<string> => {
    const found = await tenant.get<{ id: string; name: string }[]>(list);
    const one = name === undefined ? found[0] : found.find((some) => some.name === name);
    if (!one) throw new Error(`The stored account has nothing under ${list}`);
    return one.id;
  };
  await tenant.call("PUT", FLOW, { concurrency: 5, rate: { limit: 100, period: { value: 1, unit: "minute" } } });
  const inAnHour = new Date(Date.now() + 3_600_000).toISOString();
  return {
    failedJobId: await idOf("/v1/jobs?status=failed&host=billing.example&size=1"),
    pendingJobId: await idOf(`/v1/jobs?status=pending&scheduled_after=${inAnHour}&host=hooks.shop.example&size=1`),
    scheduleId: await idOf("/v1/schedules?handler=sync-inventory&size=50", "sync inventory"),
  };
}

const runs = (count: number) => (page: Page) => page.locator(".run-list > li").nth(count - 1);
const text = (text: string) => (page: Page) => page.getByText(text).first();

export const SCREENS: readonly ScreenCase[] = [
  { name: "Overview", pattern: "/", path: () => "/", content: (page) => page.locator(".verdict h1") },
  { name: "Jobs", pattern: "/jobs", path: () => "/jobs", content: text("order confirmation") },
  { name: "New job", pattern: "/jobs/new", path: () => "/jobs/new", content: (page) => page.getByLabel("Handler") },
  {
    name: "Edit a job",
    pattern: "/jobs/:id/edit",
    path: ({ pendingJobId }) => `/jobs/${pendingJobId}/edit`,
    content: (page) => page.getByRole("heading", { name: "order webhook" }),
  },
  {
    name: "Job",
    pattern: "/jobs/:id",
    path: ({ failedJobId }) => `/jobs/${failedJobId}`,
    content: (page) => page.locator("code", { hasText: "http_status" }).first(),
  },
  { name: "Schedules", pattern: "/schedules", path: () => "/schedules", content: text("daily sales report") },
  { name: "New schedule", pattern: "/schedules/new", path: () => "/schedules/new", content: runs(10) },
  {
    name: "Schedule",
    pattern: "/schedules/:id",
    path: ({ scheduleId }) => `/schedules/${scheduleId}`,
    content: runs(8),
  },
  {
    name: "Change schedule",
    pattern: "/schedules/:id/edit",
    path: ({ scheduleId }) => `/schedules/${scheduleId}/edit`,
    content: runs(10),
  },
  { name: "Flows", pattern: "/flows", path: () => "/flows", content: text("mail provider") },
  {
    name: "Flow",
    pattern: "/flows/:key",
    path: () => "/flows/mail%20provider",
    content: text("100 per minute"),
  },
  { name: "Workers", pattern: "/workers", path: () => "/workers", content: text("resize-image") },
  { name: "Settings", pattern: "/settings", path: () => "/settings", content: text("alerts.example") },
];

/** The patterns in the dashboard's own table. */
export function patternsOfDashboard(): string[] {
  const table = join(import.meta.dirname, "../../../dashboard/src/app/screens.ts");
  return [...readFileSync(table, "utf8").matchAll(/\{ pattern: "([^"]+)"/g)].map(([, pattern = ""]) => pattern);
}

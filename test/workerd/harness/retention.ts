// Retention walks from account to account over many minutes, and the tests of a run share their accounts.

import { env } from "cloudflare:workers";

/** Begins a walk and rings the cron until it has been through all accounts. */
export async function walkThroughAll(cron: () => Promise<unknown>): Promise<void> {
  await env.DB.prepare("DELETE FROM retention_walk").run();
  const place = () => env.DB.prepare("SELECT account_id FROM retention_walk").first<string>("account_id");
  do await cron();
  while ((await place()) !== "~");
}

// A service for whoever looks at the dashboard: an account's week is stored before it starts, and goes on once it runs.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OwnService } from "../../harness/service.ts";
import { type StoredAccount, type StoreOptions, storeStory } from "./store-story.ts";
import { waitingJobs } from "./waiting.ts";

export interface Served {
  readonly url: string;
  readonly adminToken: string;
  /** The link of the banner, which signs in to the development account. */
  readonly signInLink: string;
  readonly account: StoredAccount;
  stop(): Promise<void>;
}

export async function serveStory(options: StoreOptions): Promise<Served> {
  const folder = mkdtempSync(join(tmpdir(), "chronos-dashboard-"));
  const account = await storeStory(join(folder, "state"), options);
  const service = new OwnService({ folder });
  const stop = async () => {
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await service.ready();
    await waitingJobs(service.url, account);
  } catch (error) {
    await stop();
    throw error;
  }
  const signInLink = /\S+\/dashboard#sign-in=\S+/.exec(service.log)?.[0] ?? "";
  return { url: service.url, adminToken: service.dev.admin_token, signInLink, account, stop };
}

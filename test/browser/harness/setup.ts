// vitest's globalSetup of the browser tests: one service for all of them, in which 50,000 jobs were stored before it was started.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { OwnService } from "../../harness/service.ts";
import { type StoredAccount, storeStory } from "./store-story.ts";
import { waitingJobs } from "./waiting.ts";

declare module "vitest" {
  interface ProvidedContext {
    dashboardUrl: string;
    adminToken: string;
    /** The link of the banner, which signs in to the development account. */
    signInLink: string;
    dashboardAccount: StoredAccount;
  }
}

const JOBS = 50_000;

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), "chronos-dashboard-"));
  const account = await storeStory(join(folder, "state"), { size: JOBS, hostile: true, keys: 24 });
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
  project.provide("dashboardUrl", service.url);
  project.provide("adminToken", service.dev.admin_token);
  project.provide("signInLink", /\S+\/dashboard#sign-in=\S+/.exec(service.log)?.[0] ?? "");
  project.provide("dashboardAccount", account);
  return stop;
}

// vitest's globalSetup of the browser tests: one service for all of them, in which 50,000 jobs were stored before it was started.

import type { TestProject } from "vitest/node";
import { serveStory } from "./serve.ts";
import type { StoredAccount } from "./store-story.ts";

declare module "vitest" {
  interface ProvidedContext {
    dashboardUrl: string;
    adminToken: string;
    signInLink: string;
    dashboardAccount: StoredAccount;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { url, adminToken, signInLink, account, stop } = await serveStory({ size: 50_000, hostile: true, keys: 24 });
  project.provide("dashboardUrl", url);
  project.provide("adminToken", adminToken);
  project.provide("signInLink", signInLink);
  project.provide("dashboardAccount", account);
  return stop;
}

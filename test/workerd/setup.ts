// Before each test: a frozen clock, a target that says 200, a post that keeps the snapshots, a log that is read.

import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, vi } from "vitest";
import { freeze } from "./harness/clock.ts";
import { logs } from "./harness/logs.ts";
import { post } from "./harness/post.ts";
import { receiver } from "./harness/receiver.ts";

/** A test takes milliseconds; a machine under load may take its time. */
vi.setConfig({ testTimeout: 20_000 });

await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);

beforeEach(async () => {
  // Time begins again with each test: what another's minute left behind is none of its business.
  await env.DB.prepare("DELETE FROM tally_epochs").run();
  freeze();
  logs.reset();
  post.reset();
  receiver.reset();
});

afterEach(() => {
  receiver.reset();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

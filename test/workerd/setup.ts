// Before each test: a frozen clock, a target that says 200, a post that keeps the snapshots, a log that is read.

import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, vi } from "vitest";
import { freeze } from "./harness/clock.ts";
import { logs } from "./harness/logs.ts";
import { post } from "./harness/post.ts";
import { receiver } from "./harness/receiver.ts";

await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);

beforeEach(() => {
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

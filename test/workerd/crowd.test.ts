// Starts go before ends: what a crowd's first jobs have to report waits until its last ones have begun.

import { expect, it } from "vitest";
import { stagger } from "../../src/objects/stagger.ts";
import { newAccount } from "./harness/account.ts";
import { NOON, until } from "./harness/clock.ts";
import { newJob } from "./harness/job.ts";
import { receiver } from "./harness/receiver.ts";

it("an end in a crowd is reported when the crowd has begun, and then it is", async () => {
  const account = await newAccount();
  const job = await newJob(account);
  for (let others = 0; others < 1_000; others++) stagger("others", NOON, NOON);
  const ringing = job.ring();
  await until(async () => (await job.stored())?.phase.name === "completed");
  await scheduler.wait(300); // a report takes a few milliseconds, the crowd two seconds
  expect(receiver.received).toHaveLength(1);
  expect((await job.row())?.status).toBe("pending");
  await ringing;
  expect((await job.row())?.status).toBe("completed");
});

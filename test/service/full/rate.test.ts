// A rate of a short period, measured at the target of the running service: requests arrive later than they were let go, and answers take
// their time.

import { afterAll, beforeAll, expect, it } from "vitest";
import { Receiver, type Reply } from "../../harness/receiver.ts";
import type { Service } from "../../harness/service.ts";
import { sharedService } from "../../harness/shared.ts";

const [LIMIT, PERIOD_MS, JOBS] = [10, 1_000, 60];

let service: Service;
let receiver: Receiver;
beforeAll(async () => {
  [service, receiver] = await Promise.all([sharedService(), Receiver.listen()]);
});
afterAll(() => receiver?.close());

const answersIn =
  (ms: number): Reply =>
  (response) =>
    setTimeout(() => response.writeHead(200).end(), ms);

it.concurrent.each([
  ["at once", 0],
  ["later than the period is long", 1_500],
])("no second holds more than its limit at a target that answers %s", async (_, answerMs) => {
  const tenant = await service.newTenant();
  const target = receiver.target(answersIn(answerMs));
  const rate = { limit: LIMIT, period: { value: PERIOD_MS / 1_000, unit: "second" } };
  await tenant.call("PUT", "/v1/flows/short", { rate });
  const job = { name: "counted", ...target.delivery(), flow: "short", delay: { value: 1, unit: "second" } };
  await tenant.post("/v1/jobs/batch", { jobs: Array.from({ length: JOBS }, () => job) });
  await target.receives(JOBS, 30_000);
  const arrived = target.deliveries.map(({ at }) => at).sort((a, b) => a - b);
  const fullest = Math.max(
    ...arrived.map((from) => arrived.filter((at) => at >= from && at < from + PERIOD_MS).length),
  );
  expect(fullest).toBeLessThanOrEqual(LIMIT);
});

// More jobs in one instant than there are file descriptors (design, rule 16). A service of its own, set tight.

import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { CALM_MS, watchExhaustion } from "../../../local/exhaustion.ts";
import { Receiver } from "../../harness/receiver.ts";
import { OwnService } from "../../harness/service.ts";
import { until } from "../../harness/until.ts";

const DESCRIPTORS = 400;
const JOBS = 110;

/** They are made one after the other, on a machine that may be busy. */
const MAKING_MS = 15_000;

const service = new OwnService({ command: ["sh", "-c", `ulimit -n ${DESCRIPTORS}; exec npm start`] });
let receiver: Receiver;
beforeAll(async () => {
  [receiver] = await Promise.all([Receiver.listen(), service.ready()]);
});
afterAll(() => Promise.all([service.stop(), receiver?.close()]));

it("a burst beyond the descriptors is delivered whole, and then workerd is started anew: its queues may stand still", async () => {
  const tenant = await service.newTenant();
  const keys = await tenant.moreKeys(2);
  const target = receiver.target();
  const due = new Date(Date.now() + MAKING_MS).toISOString();
  const job = { ...target.delivery(), scheduled_for: due, max_retries: 20 };
  const jobs = [];
  for (let i = 0; i < JOBS; i++) jobs.push(await keys[i % keys.length]?.create(job));

  const begun = service.workerdPid;
  const isRestarted = () => service.log.includes('"event":"descriptors_exhausted"') && service.workerdPid !== begun;
  await until(isRestarted, 90_000, () => `It was not started anew:\n${service.log.slice(-2_000)}`, 250);
  const completed = async () => {
    const answer = await tenant.call<unknown[]>("GET", "/v1/jobs?status=completed&size=1").catch(() => null);
    return answer?.status === 200 && answer.body.meta.paging.total === JOBS;
  };
  await until(completed, 60_000, () => `They are not completed:\n${service.log.slice(-2_000)}`, 1_000);
  const delivered = new Set(target.deliveries.map(({ json }) => json.job_id));
  expect(delivered).toEqual(new Set(jobs.map((one) => one?.id)));
});

describe("the watch over exhaustion", () => {
  it("speaks up once, when the last sign is fifteen seconds old and not a millisecond earlier", () => {
    vi.useFakeTimers();
    const spoken = vi.fn();
    const watch = watchExhaustion(spoken);
    watch.hear("overloaded: Too many open files (os error 24)");
    vi.advanceTimersByTime(CALM_MS - 1);
    watch.hear("unable to open database file: SQLITE_CANTOPEN");
    vi.advanceTimersByTime(CALM_MS - 1);
    expect(spoken).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(spoken).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(10 * CALM_MS);
    expect(spoken).toHaveBeenCalledTimes(1);
    vi.useRealTimers();
  });

  it("does not hear anything else, nor what the Worker says, and forgets all when it is reset", () => {
    vi.useFakeTimers();
    const spoken = vi.fn();
    const watch = watchExhaustion(spoken);
    watch.hear("a line of workerd");
    watch.hear('{"level":"info","event":"request","method":"GET","path":"/SQLITE_CANTOPEN","status":404}');
    vi.advanceTimersByTime(10 * CALM_MS);
    watch.hear("Too many open files");
    watch.reset();
    vi.advanceTimersByTime(10 * CALM_MS);
    expect(spoken).not.toHaveBeenCalled();
    watch.hear("Too many open files");
    vi.advanceTimersByTime(CALM_MS);
    expect(spoken).toHaveBeenCalledTimes(1);
    vi.useRealTimers();
  });
});

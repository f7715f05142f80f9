// Flows over the API: what is sent, what comes back, what is repeated after faults.

import { describe, expect, it } from "vitest";
import {
  ChronosApiError,
  ChronosConfigError,
  type Flow,
  type FlowLimits,
  PreconditionFailedError,
} from "../src/index.ts";
import { answering as answeringWith, said } from "./answering.ts";
import { refuse } from "./answers.ts";
import { NOON, outcomeOf, pass } from "./setup.ts";

const FLOWS = /\/v1\/flows/;
const MINUTE = { value: 1, unit: "minute" } as const;
const LIMITS: FlowLimits = { concurrency: 5, rate: { limit: 100, period: MINUTE } };

const WRITTEN = {
  key: "mail",
  concurrency: 5,
  rate: { limit: 100, period: MINUTE },
  breaker: null,
  paused: true,
  paused_until: "2030-01-01T12:00:00.000Z",
  waiting: 7,
  running: 5,
  oldest_waiting_since: "2030-01-01T12:00:00.000Z",
  revision: 3,
  created_at: "2030-01-01T12:00:00.000Z",
  updated_at: "2030-01-01T12:00:00.000Z",
  from_a_later_version: true,
};

/** A service that gives these answers, the last of them again and again. */
function answering(...answers: (() => Response)[]) {
  const { chronos, line } = answeringWith(WRITTEN, answers);
  return { flows: chronos.flows, line };
}

it("reads every field, times as Dates, and nothing it does not know", async () => {
  const { flows } = answering();
  expect(await flows.get("mail")).toEqual({
    key: "mail",
    concurrency: 5,
    rate: { limit: 100, period: MINUTE },
    breaker: null,
    paused: true,
    pausedUntil: new Date(NOON),
    waiting: 7,
    running: 5,
    oldestWaitingSince: new Date(NOON),
    revision: 3,
    createdAt: new Date(NOON),
    updatedAt: new Date(NOON),
  } satisfies Flow);
});

it("calls what the reference says, with the key as one part of the path", async () => {
  const { flows, line } = answering();
  await flows.put("mail", { ...LIMITS, breaker: { failures: 10, pause: MINUTE }, paused: false });
  await flows.pause("a/b c");
  await flows.resume("mail");
  await flows.delete("mail", { ifMatch: 3 });
  expect(line.sent.map(({ method, path, body }) => [method, path, body])).toEqual([
    ["PUT", "/v1/flows/mail", { ...LIMITS, breaker: { failures: 10, pause: MINUTE }, paused: false }],
    ["POST", "/v1/flows/a%2Fb%20c/pause", {}],
    ["POST", "/v1/flows/mail/resume", {}],
    ["DELETE", "/v1/flows/mail", {}],
  ]);
  expect(line.sent[3]?.ifMatch).toBe('"3"');
});

it("lists all of them, page by page", async () => {
  const page = (page: number) => ({ paging: { page, pages: 2, size: 1, total: 2 } });
  const { flows, line } = answering(
    () => said([WRITTEN], page(1)),
    () => said([{ ...WRITTEN, key: "other" }], page(2)),
  );
  const keys: string[] = [];
  for await (const { key } of flows.list({ size: 1 })) keys.push(key);
  expect(keys).toEqual(["mail", "other"]);
  expect(line.sent.map(({ query }) => query.toString())).toEqual(["size=1", "page=2&size=1"]);
});

describe("after a fault", () => {
  it.each<[string, (flows: ReturnType<typeof answering>["flows"]) => Promise<unknown>]>([
    ["reading", (flows) => flows.get("mail")],
    ["setting limits", (flows) => flows.put("mail", LIMITS)],
    ["a pause", (flows) => flows.pause("mail")],
    ["a resume", (flows) => flows.resume("mail")],
  ])("%s is repeated: said twice, it is done once", async (_, call) => {
    const { flows, line } = answering();
    line.breaks(FLOWS, "unanswered");
    const outcome = outcomeOf(call(flows));
    await pass(10_000);
    expect(await outcome).toMatchObject({ key: "mail" });
    expect(line.sent).toHaveLength(2);
  });

  it("a deletion is repeated, and what is then gone is deleted", async () => {
    const gone = () => refuse(404, "flow_not_found", "There is no such flow.");
    const { flows, line } = answering(() => said(null), gone);
    line.breaks(FLOWS, "unanswered");
    const deleted = flows.delete("mail");
    await pass(10_000);
    expect(await deleted).toBeUndefined();
    expect(line.sent).toHaveLength(2);
    expect(await outcomeOf(flows.delete("mail")), "of one that was never there").toBeInstanceOf(ChronosApiError);
  });

  it("a conditional change that a lost try has made is a success; another's is not", async () => {
    const outdated = () => refuse(412, "precondition_failed", "It has changed.", [], WRITTEN);
    const made = answering(
      () => said(WRITTEN),
      outdated,
      () => said(WRITTEN),
    );
    made.line.breaks(FLOWS, "unanswered");
    const put = made.flows.put("mail", LIMITS, { ifMatch: 2 });
    await pass(10_000);
    expect(await put).toMatchObject({ revision: 3 });
    const other = answering(
      () => said(WRITTEN),
      outdated,
      () => said({ ...WRITTEN, concurrency: 9 }),
    );
    other.line.breaks(FLOWS, "unanswered");
    const refused = outcomeOf(other.flows.put("mail", LIMITS, { ifMatch: 2 }));
    await pass(10_000);
    expect(await refused).toBeInstanceOf(PreconditionFailedError);
    expect(await refused).toMatchObject({ data: { key: "mail", revision: 3, oldestWaitingSince: new Date(NOON) } });
  });
});

it("refuses fields that do not exist, and an empty key, before anything is sent", async () => {
  const { flows, line } = answering();
  expect(await outcomeOf(flows.put("mail", { limit: 5 } as FlowLimits))).toBeInstanceOf(ChronosConfigError);
  expect(await outcomeOf(flows.get(""))).toBeInstanceOf(ChronosConfigError);
  expect(line.sent).toEqual([]);
});

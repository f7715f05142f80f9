// Which events an end makes, and the job that carries one (contract §9).

import { describe, expect, it } from "vitest";
import {
  type Endpoint,
  EVENT_TYPES,
  eventsOf,
  eventsOfEnd,
  eventsOfSchedule,
  identityOf,
  jobOfEvent,
  pendingTypes,
  testEvent,
  webhookOf,
} from "../../src/domain/event.ts";
import type { Fault, Job, JobStatus } from "../../src/domain/job.ts";
import * as life from "../../src/domain/life.ts";
import { announced, confirm, isUnannounced } from "../../src/domain/reporting.ts";
import * as schedules from "../../src/domain/schedule.ts";
import { reportOf } from "../../src/store/report.ts";
import { cancelled, completed, failed, leased, must, NOON, pushing, queued, SECOND, waiting } from "./a-job.ts";
import { every, scheduleOf } from "./schedules/a-schedule.ts";

const STOPPED: Fault = { code: "platform", message: "stopped" };
const NO_ANSWER: Fault = { code: "network", message: "no answer" };

describe("the events of an end", () => {
  it.each<[string, JobStatus, number, Fault | null, string[]]>([
    ["a completion", "completed", 0, null, ["job.completed"]],
    ["a completion after a counted failure", "completed", 1, NO_ANSWER, ["job.completed", "job.recovered"]],
    [
      "a completion after a manual retry of a failed job",
      "completed",
      0,
      NO_ANSWER,
      ["job.completed", "job.recovered"],
    ],
    ["a completion after an interruption", "completed", 0, STOPPED, ["job.completed"]],
    ["a completion after a failure and an interruption", "completed", 1, STOPPED, ["job.completed", "job.recovered"]],
    ["a failure", "failed", 4, NO_ANSWER, ["job.failed"]],
    ["a cancellation", "cancelled", 2, NO_ANSWER, ["job.cancelled"]],
    ["nothing that lives", "retrying", 1, NO_ANSWER, []],
  ])("%s", (_, status, tries, lastError, types) => {
    expect(eventsOfEnd(status, tries, lastError)).toEqual(types);
    for (const type of types) expect(EVENT_TYPES).toContain(type);
  });

  it.each([waiting, queued, pushing, leased])("are none before the end", (made) => {
    expect(pendingTypes(made())).toEqual([]);
    expect(isUnannounced(made())).toBe(false);
  });

  it.each([completed, failed, cancelled])("are left until they are announced, or stored", (made) => {
    const job = made();
    expect(pendingTypes(job)).toHaveLength(1);
    expect(pendingTypes(announced(job, job))).toEqual([]);
    const later = { ...job, phase: { ...job.phase, endedAt: NOON + SECOND } } as Job;
    expect(pendingTypes(announced(later, job)), "another end").toHaveLength(1);
    expect(pendingTypes(confirm(job, reportOf(job)))).toEqual([]);
  });

  it("are none of a job that carries an event, and it has nothing to announce", () => {
    for (const job of [completed({ origin: "event" }), failed({ origin: "event" })]) {
      expect(eventsOf(job)).toEqual([]);
      expect(isUnannounced(job)).toBe(false);
    }
  });

  it.each([failed, cancelled])("are kept when it is retried by hand before anybody was told", (made) => {
    const job = made();
    const [event] = eventsOf(job);
    const again = must(life.retry(job, NOON + SECOND));
    expect(eventsOf(again)).toEqual([event]);
    expect([pendingTypes(again), isUnannounced(again)]).toEqual([[event?.type], true]);
    const ended = must(life.cancel(again, NOON + 2 * SECOND));
    expect(eventsOf(ended).map(({ at }) => at)).toEqual([event?.at, NOON + 2 * SECOND]);
    expect(eventsOf(announced(ended, again)), "of the first end alone").toHaveLength(1);
    expect(eventsOf(announced(ended, ended))).toEqual([]);
    expect(eventsOf(confirm(ended, reportOf(ended)))).toEqual([]);
    const told = must(life.retry(confirm(job, reportOf(job)), NOON + SECOND));
    expect(eventsOf(told), "of an end that was told there is nothing left").toEqual([]);
  });

  it("are not made again when another job gets the key", () => {
    const job = completed({ idempotencyKey: "k" });
    const told = confirm(job, reportOf(job));
    expect(pendingTypes(must(life.dropKey(told, NOON + SECOND)))).toEqual([]);
  });
});

const TO: Endpoint = { webhookId: "w", url: "https://example.com/", headers: { "X-Team": "growth" } };

describe("the id of an event's job", () => {
  const identity = (job: Job, to = TO) => eventsOf(job).map((event) => identityOf(event, to));

  it("is the same whatever a report, a lost key or time has done to the job since", () => {
    const job = failed({ idempotencyKey: "k" });
    const dropped = must(life.dropKey(job, NOON + SECOND));
    expect(identity(dropped)).toEqual(identity(job));
  });

  it("is another one for another endpoint, type, end or job", () => {
    const job = failed();
    const again = failed({ scheduledFor: NOON });
    const other: Job = { ...job, id: "other" };
    const later: Job = { ...job, attempt: job.attempt + 1 };
    expect(identity(again)).toEqual(identity(job));
    const all = [job, other, later].flatMap((one) => identity(one));
    const callback = identity(job, { ...TO, webhookId: null });
    expect(new Set([...all, ...callback, ...identity(job, { ...TO, webhookId: "w2" })]).size).toBe(5);
  });
});

describe("the job of an event", () => {
  const id = "01b8dd57-0d40-4000-8000-000000000103";
  const made = jobOfEvent("acct", testEvent("w", NOON), TO, id);

  it("is a push of the event itself, due when it was made, with a day of retries", () => {
    expect(made).toMatchObject({
      name: "webhook.test",
      origin: "event",
      payload: `{"type":"webhook.test","timestamp":"2030-01-01T12:00:00.000Z","data":{"webhook_id":"w"}}`,
      delivery: { type: "push", url: TO.url, method: "POST", headers: TO.headers },
      tags: ["webhook:w"],
    });
    expect(made.scheduledFor).toBe(made.createdAt);
    const waits = made.backoff?.type === "list" ? made.backoff.delaysSeconds : [];
    expect(waits).toHaveLength(made.maxRetries);
    expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeGreaterThan(86_400);
  });

  it("tells the webhook it goes to; no other job does, whatever its tags", () => {
    expect(webhookOf(made)).toBe("w");
    expect(webhookOf({ ...made, origin: "api" })).toBeNull();
    expect(webhookOf(jobOfEvent("acct", testEvent("w", NOON), { ...TO, webhookId: null }, id))).toBeNull();
  });
});

describe("a callback", () => {
  const callbacks = { completed: { url: "https://example.com/done", headers: {} }, failed: null };

  it("hears of its own end only, and not that the job recovered", () => {
    expect(eventsOf(completed({ callbacks })).map(({ callback }) => callback?.url)).toEqual([
      "https://example.com/done",
    ]);
    expect(eventsOf(failed({ callbacks })).map(({ callback }) => callback)).toEqual([null]);
    const recovered = { ...completed({ callbacks }), tries: 1 };
    expect(eventsOf(recovered).map(({ type, callback }) => [type, callback !== null])).toEqual([
      ["job.completed", true],
      ["job.recovered", false],
    ]);
  });
});

describe("a schedule", () => {
  const FIRST = NOON + 60 * SECOND;
  const schedule = scheduleOf(every(1, "minute"));

  it("has nothing to announce while it runs on time", () => {
    expect(schedules.ran(schedule, FIRST, FIRST).news).toEqual([]);
  });

  it("announces missed runs and its end until they are told", () => {
    const due = schedules.dueAt(schedule, FIRST + 150 * SECOND);
    if (!due) throw new Error("not due");
    const now = FIRST + 150 * SECOND;
    const behind = schedules.skipTo({ ...schedule, runs: 1 }, due, now);
    expect(behind.news).toEqual([{ type: "schedule.missed", at: now }]);
    const over = schedules.ran(behind, due.tick, now + 1);
    expect(over.news.map(({ type }) => type)).toEqual(["schedule.missed", "schedule.completed"]);
    expect(eventsOfSchedule(over).map(({ type, tag }) => [type, tag])).toEqual([
      ["schedule.missed", `schedule:${schedule.id}`],
      ["schedule.completed", `schedule:${schedule.id}`],
    ]);
    expect(schedules.announced(over, behind.news).news.map(({ type }) => type)).toEqual(["schedule.completed"]);
    expect(schedules.confirmed(over).news).toEqual([]);
    expect(schedules.hasEnded(schedules.archive(schedule, now)) && schedules.archive(schedule, now).news).toEqual([]);
  });
});

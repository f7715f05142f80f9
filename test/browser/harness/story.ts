// A week in the life of an account, as rows: what a busy shop leaves in the database. The same seed tells the same story.

import { idAt } from "../../../src/domain/ids.ts";
import type { ExecutionStatus, Fault, JobSpec, JobStatus, PushResponse } from "../../../src/domain/job.ts";
import type { JsonText } from "../../../src/domain/json-text.ts";
import { plan, type Schedule } from "../../../src/domain/schedule.ts";
import { FIRST_HELD_EPOCH, hostOf, type SettledExecution, stampOf, Tally } from "../../../src/domain/tally.ts";
import { tickKey } from "../../../src/domain/tick-job.ts";
import { type NewJobRow, rowOfSpec } from "../../../src/store/rows.ts";
import type { Webhook } from "../../../src/store/webhooks-store.ts";
import { Chance } from "../../faults/harness/chance.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Names that are not meant as text by whoever gave them. */
export const HOSTILE = `<img src=x onerror="document.title='owned'">`;
export const LONG_NAME = "a name that somebody made out of everything they knew about the job at the time "
  .repeat(3)
  .trim();

/** Handlers that workers poll for. Jobs of theirs end well, for the most part. */
const PULLED = ["send-mail", "resize-image", "sync-inventory", "build-report", "push-notification"] as const;
/** URLs that jobs were pushed to; none of them answers, and nothing that is due calls them. */
const PUSHED = [
  "https://hooks.shop.example/orders",
  "https://billing.example/charge",
  "https://crm.example/api/contacts",
] as const;

export interface Story {
  readonly jobs: readonly NewJobRow[];
  readonly schedules: readonly Schedule[];
  readonly webhooks: readonly Webhook[];
  readonly handlers: readonly string[];
  readonly tally: Tally;
}

export interface StoryOptions {
  readonly accountId: string;
  readonly now: number;
  readonly size: number;
  /** Whether names and errors try to be more than text. */
  readonly hostile: boolean;
}

export function tellStory({ accountId, now, size, hostile }: StoryOptions): Story {
  const chance = new Chance(15);
  const tally = new Tally();
  const newId = (at: number) =>
    idAt(
      at,
      Uint8Array.from({ length: 9 }, () => chance.between(0, 255)),
    );
  const spec = (createdAt: number, more: Partial<JobSpec>): JobSpec => ({
    accountId,
    id: newId(createdAt),
    createdAt,
    scheduleId: null,
    origin: "api",
    name: "a job",
    handler: null,
    payload: null,
    delivery: { type: "pull", queue: null },
    timeoutSeconds: 30,
    maxRetries: 3,
    backoff: null,
    expiresAfterMs: null,
    tags: [],
    flow: null,
    callbacks: null,
    idempotencyKey: null,
    traceparent: null,
    scheduledFor: createdAt,
    ...more,
  });

  const schedules = schedulesOf(accountId, now, newId, hostile);
  const runs = schedules.flatMap((schedule) => runsOf(schedule, now, spec));
  const ahead = jobsAhead(now, chance, spec);
  const past = Array.from({ length: size - runs.length - ahead.length }, (_, i) => {
    const createdAt = momentInWeek(now, chance);
    if (hostile && i === 0) return spec(now - 90 * SECOND, { name: HOSTILE, handler: HOSTILE });
    if (hostile && i === 1) return spec(now - 80 * SECOND, { name: LONG_NAME, handler: "send-mail" });
    if (i < CHARGES) return spec(now - 21 * MINUTE - chance.between(0, 6 * MINUTE), charge(i));
    return spec(createdAt, chance.happens(70) ? pulled(i, chance) : pushed(i, chance));
  });
  const ended = [...past, ...runs].map((one) => endOf(one, { now, chance, tally, hostile }));
  return {
    jobs: [...ended, ...ahead.map(rowOfSpec)],
    schedules,
    webhooks: webhooksOf(accountId, now, newId),
    handlers: hostile ? [...PULLED, HOSTILE] : PULLED,
    tally,
  };
}

/** More by day than by night, more of late than before, and never in the last minute: that one is still being counted. */
function momentInWeek(now: number, chance: Chance): number {
  for (;;) {
    const at = now - MINUTE - Math.floor(chance.next() ** 1.5 * 7 * DAY);
    const hour = (at % DAY) / HOUR;
    if (chance.next() < 0.55 + 0.45 * Math.sin(((hour - 8) / 24) * 2 * Math.PI)) return at;
  }
}

/** How many cards were to be charged while the bank did not answer. */
const CHARGES = 260;

const charge = (i: number): Partial<JobSpec> => ({
  name: "charge card",
  delivery: { type: "push", url: PUSHED[1], method: "POST", headers: {} },
  payload: `{"order":${40_000 + i}}` as JsonText,
});

const JOBS_OF: Record<(typeof PULLED)[number], (i: number) => { name: string; payload: object }> = {
  "send-mail": (i) => ({
    name: "order confirmation",
    payload: { order: 40_000 + i, to: `customer${i % 997}@example.com` },
  }),
  "resize-image": (i) => ({ name: "resize product photo", payload: { product: i % 811, width: 1_600 } }),
  "sync-inventory": (i) => ({ name: "sync inventory", payload: { warehouse: ["Leipzig", "Lyon", "Gdańsk"][i % 3] } }),
  "build-report": (i) => ({ name: "daily sales report", payload: { day: i % 365, format: "pdf" } }),
  "push-notification": (i) => ({ name: "cart reminder", payload: { cart: 900_000 + i } }),
};

function pulled(i: number, chance: Chance): Partial<JobSpec> {
  const handler = chance.pick(PULLED);
  const { name, payload } = JOBS_OF[handler](i);
  return { name, handler, payload: JSON.stringify(payload) as JsonText, tags: [`shop-${i % 4}`] };
}

function pushed(i: number, chance: Chance): Partial<JobSpec> {
  const url = chance.pick(PUSHED);
  const name = { "hooks.shop.example": "order webhook", "billing.example": "charge card" }[new URL(url).host];
  const delivery = { type: "push", url, method: "POST", headers: {} } as const;
  return { name: name ?? "update contact", delivery, payload: `{"order":${40_000 + i}}` as JsonText };
}

interface Telling {
  readonly now: number;
  readonly chance: Chance;
  readonly tally: Tally;
  readonly hostile: boolean;
}

/** How a job of the past ended, and its place in the counts. */
function endOf(spec: JobSpec, { now, chance, tally, hostile }: Telling): NewJobRow {
  const dueAt = spec.scheduledFor;
  const startedAt = dueAt + latenessOf(dueAt, now, chance);
  const endedAt = startedAt + Math.floor(20 + 400 * chance.next() ** 3);
  const isHostile = hostile && spec.name === HOSTILE;
  if (!isHostile && chance.happens(0.6)) return rowOfEnd(spec, "cancelled", { endedAt: startedAt });
  const fault = isHostile
    ? { code: "handler_error" as const, message: HOSTILE }
    : faultOf(spec, startedAt, now, chance);
  const settled: SettledExecution = {
    accountId: spec.accountId,
    jobId: spec.id,
    handler: spec.handler,
    host: hostOf(spec.delivery),
    status: fault === null ? "completed" : fault.code === "timeout" ? "timed_out" : "failed",
    dueAt,
    startedAt,
    completedAt: endedAt,
    errorCode: fault?.code ?? null,
    endsJob: true,
  };
  tally.add(settled);
  return rowOfEnd(spec, fault === null ? "completed" : "failed", { endedAt, settled, fault, isHostile });
}

/** A few milliseconds, but for half an hour of yesterday and some minutes of the last hour. */
function latenessOf(dueAt: number, now: number, chance: Chance): number {
  const ago = now - dueAt;
  const usual = 2 + Math.floor(60 * chance.next() ** 4);
  if (ago > 22 * MINUTE && ago < 27 * MINUTE) return usual + chance.between(800, 9_000);
  if (ago > 19 * HOUR && ago < 19.5 * HOUR) return usual + chance.between(2_000, 40_000);
  return usual;
}

function faultOf({ delivery, handler }: JobSpec, at: number, now: number, chance: Chance): Fault | null {
  const ago = now - at;
  if (delivery.type === "push" && hostOf(delivery) === "billing.example" && ago > 20 * MINUTE && ago < 29 * MINUTE)
    return { code: "http_status", message: "The target answered 503." };
  if (chance.next() > 0.018) return null;
  if (delivery.type === "pull")
    return handler === "resize-image"
      ? { code: "lease_expired", message: "No report came before the lease ended." }
      : { code: "handler_error", message: "TypeError: cannot read properties of undefined (reading 'email')" };
  return hostOf(delivery) === "crm.example"
    ? { code: "timeout", message: "No answer within 30 s." }
    : { code: "http_status", message: "The target answered 422." };
}

interface End {
  readonly endedAt: number;
  readonly settled?: SettledExecution;
  readonly fault?: Fault | null;
  readonly isHostile?: boolean;
}

const ATTEMPTS_OF_FAILED = 4;

function rowOfEnd(spec: JobSpec, status: JobStatus, { endedAt, settled, fault, isHostile }: End): NewJobRow {
  const attempt = settled === undefined ? 0 : fault ? ATTEMPTS_OF_FAILED : 1;
  return {
    ...rowOfSpec(spec),
    status,
    revision: 2 + attempt,
    reportDueAt: null,
    runAt: null,
    updatedAt: endedAt,
    completedAt: endedAt,
    ...(settled && {
      attempt,
      started: attempt,
      tries: fault ? attempt : 0,
      lastError: fault ?? null,
      executionId: `${spec.id.slice(0, 24)}${spec.id.slice(24).split("").reverse().join("")}`,
      executionTrigger: attempt > 1 ? "system_retry" : "scheduled",
      executionStatus: settled.status satisfies ExecutionStatus,
      workerId: spec.delivery.type === "pull" ? `shop-${spec.id.charCodeAt(35) % 3}` : null,
      dueAt: settled.dueAt,
      startedAt: settled.startedAt,
      settledAt: endedAt,
      response: responseOf(spec, fault ?? null, isHostile === true),
      result: spec.delivery.type === "pull" && !fault ? (`{"ok":true}` as JsonText) : null,
      tally: stampOf(FIRST_HELD_EPOCH, settled),
    }),
  };
}

function responseOf({ delivery }: JobSpec, fault: Fault | null, isHostile: boolean): PushResponse | null {
  if (delivery.type === "pull" || fault?.code === "timeout") return null;
  const status = fault === null ? 200 : Number(/\d{3}/.exec(fault.message)?.[0] ?? 500);
  const body = isHostile ? HOSTILE : fault === null ? `{"received":true}` : `{"error":"try again later"}`;
  return { status, headers: { "content-type": "application/json" }, body, truncated: false };
}

/** Pulled jobs of the next hour, and some of the next weeks. Nothing that is pushed is due while tests run. */
function jobsAhead(now: number, chance: Chance, spec: (createdAt: number, more: Partial<JobSpec>) => JobSpec) {
  const soon = Array.from({ length: 140 }, () => 6 * MINUTE + Math.floor(53 * MINUTE * chance.next()));
  const later = Array.from({ length: 260 }, () => 2 * HOUR + Math.floor(20 * DAY * chance.next()));
  return [...soon, ...later].map((inMs, i) => {
    const createdAt = now - 20 * MINUTE - chance.between(0, 5 * DAY);
    const work = inMs < HOUR || i % 3 > 0 ? pulled(i, chance) : pushed(i, chance);
    return spec(createdAt, { ...work, scheduledFor: now + inMs });
  });
}

function schedulesOf(accountId: string, now: number, newId: (at: number) => string, hostile: boolean): Schedule[] {
  const cron = (name: string, expression: string, timeZone: string, handler: string, more: Partial<Schedule> = {}) => {
    const createdAt = now - 6 * DAY + (more.createdAt ?? 0);
    const spec = {
      ...{ name, handler, payload: null, description: null, overlap: "allow" as const, runs: null, stopAt: null },
      ...{ delivery: { type: "pull", queue: null } as const, timeoutSeconds: 30, maxRetries: 3, backoff: null },
      ...{ expiresAfterMs: null, tags: [], flow: null, callbacks: null },
      timing: { type: "cron" as const, expression, timeZone },
    };
    const made = { accountId, id: newId(createdAt), idempotencyKey: null, now: createdAt };
    const { createdAt: _, ...rest } = more;
    // Planned as of now, so that its next run lies ahead; everything else as of then.
    const { nextRunAt } = plan(spec, { ...made, now });
    const lastRunAt = Math.min(nextRunAt === null ? now - DAY : nextRunAt - everyMs(expression), now - HOUR / 2);
    return { ...plan(spec, made), nextRunAt, revision: 3, runCount: 164, lastRunAt, ...rest };
  };
  const minuteAhead = (new Date(now).getUTCMinutes() + 30) % 60;
  const known = [
    cron("daily sales report", "0 6 * * *", "Europe/Berlin", "build-report", {
      description: "Sales of the day before, as PDF, to everyone in the office.",
      runCount: 6,
    }),
    cron("sync inventory", `${minuteAhead} * * * *`, "UTC", "sync-inventory", {
      missedRuns: 2,
      overlap: "skip",
      skippedRuns: 5,
    }),
    cron("cart reminders", "30 1 * * *", "Europe/London", "push-notification", { runCount: 6 }),
    cron("month-end statements", "0 9 1 * *", "America/New_York", "send-mail", { runCount: 0, lastRunAt: null }),
    cron("price feed", "15 */2 * * *", "Europe/Paris", "sync-inventory", { status: "paused" }),
    cron("black friday teaser", "0 8 * * *", "Europe/Berlin", "send-mail", {
      ...{ status: "completed", nextRunAt: null, runs: 5, runCount: 5 },
    }),
    cron("old newsletter", "0 7 * * MON", "Europe/Berlin", "send-mail", { status: "archived", nextRunAt: null }),
  ];
  const more = Array.from({ length: 24 }, (_, i) =>
    cron(`tenant ${i + 1}: nightly export`, `${i * 2} 3 * * *`, "UTC", "build-report", {
      ...{ createdAt: -(i + 1) * HOUR, runCount: 6 },
    }),
  );
  return [
    ...known,
    ...more,
    ...(hostile
      ? [cron(HOSTILE, "0 0 1 1 *", "UTC", HOSTILE, { description: LONG_NAME, runCount: 0, lastRunAt: null })]
      : []),
  ];
}

/** Of the expressions here: hourly, or daily. */
const everyMs = (expression: string): number => (expression.endsWith(" * * * *") ? HOUR : DAY);

/** The last runs of a schedule that runs each hour or each day. */
function runsOf(
  { id, name, handler, timing, status, nextRunAt }: Schedule,
  now: number,
  spec: (createdAt: number, more: Partial<JobSpec>) => JobSpec,
): JobSpec[] {
  if (timing.type !== "cron" || nextRunAt === null || status !== "active") return [];
  const every = everyMs(timing.expression);
  if (nextRunAt - now > every) return [];
  const ticks = Array.from({ length: every === HOUR ? 30 : 5 }, (_, i) => nextRunAt - (i + 1) * every);
  return ticks.map((tick) =>
    spec(tick, {
      name,
      handler,
      scheduleId: id,
      origin: "schedule",
      idempotencyKey: tickKey(id, tick),
      scheduledFor: tick,
    }),
  );
}

function webhooksOf(accountId: string, now: number, newId: (at: number) => string): Webhook[] {
  const hook = (url: string, more: Partial<Webhook>): Webhook => {
    const id = newId(now - 5 * DAY);
    // Flows do not pause by themselves here, so nothing calls these.
    const facts = { disabledReason: null, failingSince: null, updatedAt: now - DAY };
    return { accountId, id, url, events: ["flow.paused"], description: null, enabled: true, ...facts, ...more };
  };
  return [
    hook("https://alerts.example/chronos", { description: "pages whoever is on call" }),
    hook("https://hooks.chat.example/services/ops", {
      failingSince: now - 3 * HOUR,
      events: ["flow.paused", "flow.resumed"],
    }),
    hook("https://old.example/in", {
      ...{ enabled: false, events: ["job.failed", "job.recovered"], failingSince: now - 5 * DAY - HOUR },
      disabledReason: "Deliveries have failed for five days. The last: The target answered 410.",
    }),
  ];
}

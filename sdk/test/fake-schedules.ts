// Schedules of the service in memory: keys, revisions, If-Match, which fields null resets, pausing. They do not tick.

import { accept, page, refuse } from "./answers.ts";

export interface FakeSchedule {
  id: string;
  status: string;
  revision: number;
  idempotency_key: string | null;
  [field: string]: unknown;
}

const DEFAULTS: Record<string, unknown> = {
  description: null,
  handler: null,
  timezone: "UTC",
  runs: null,
  stop_at: null,
  overlap: "allow",
  delivery: { type: "pull" },
  payload: null,
  timeout: 30,
  max_retries: 3,
  tags: [],
  flow: null,
  callbacks: null,
  backoff: null,
  expires_after: null,
};

/** In any other field of a PATCH, null is the same as leaving it out. */
const RESET_BY_NULL = ["tags", "flow", "callbacks", "backoff", "expires_after", "overlap"];

/** How the service shows a field that can be said in several ways. */
const SHOWN: Record<string, (value: never) => unknown> = {
  cron: (text: string) =>
    text
      .trim()
      .replace(/[ \t]+/g, " ")
      .toUpperCase(),
  stop_at: (text: string) => new Date(text).toISOString(),
  backoff: ({ type, delays, initial = 1, max = Math.max(3_600, initial), jitter = true }) =>
    type === "list" ? { type, delays } : { type, initial, max, jitter },
  delivery: ({ type, queue, http }: { type: string; queue?: string; http?: object }) =>
    type === "pull" ? { type, ...(queue && { queue }) } : { type, http: { headers: {}, ...http } },
  expires_after: ({ value, unit }: { value: number; unit: string }) =>
    unit === "minute" && value % 60 === 0 ? { value: value / 60, unit: "hour" } : { value, unit },
};

const shown = (name: string, value: unknown) => SHOWN[name]?.(value as never) ?? value;

const OVER = ["archived", "completed"];

interface Surroundings {
  now(): number;
  createJob(input: Record<string, unknown>): Response;
}

export class FakeSchedules {
  readonly all: FakeSchedule[] = [];
  readonly #surroundings: Surroundings;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  answer(
    request: Request,
    id: string | undefined,
    call: string | undefined,
    input: Record<string, unknown>,
    url: URL,
  ): Response {
    if (id === undefined) return request.method === "POST" ? this.#create(input) : page(url, this.all.toReversed());
    const schedule = this.all.find((one) => one.id === id);
    if (schedule === undefined) return refuse(404, "schedule_not_found", "No such schedule");
    if (request.method === "GET") return accept(schedule);
    const ifMatch = call === undefined ? request.headers.get("if-match") : null;
    if (ifMatch !== null && ifMatch !== `"${schedule.revision}"`) {
      return refuse(412, "precondition_failed", "The schedule has changed", [], schedule);
    }
    if (OVER.includes(schedule.status)) return refuse(409, `schedule_${schedule.status}`, "It is over");
    switch (call) {
      case undefined:
        return this.#refusalOf(input) ?? accept(this.change(schedule, input));
      case "pause":
        return accept(schedule.status === "paused" ? schedule : this.change(schedule, {}, { status: "paused" }));
      case "resume":
        return accept(schedule.status === "active" ? schedule : this.change(schedule, {}, { status: "active" }));
      case "archive":
        return accept(this.change(schedule, {}, { status: "archived", next_run_at: null }));
      case "trigger":
        return this.#surroundings.createJob({ name: schedule.name, handler: schedule.handler });
      default:
        return refuse(404, "not_found", "No such path");
    }
  }

  /** As a PATCH, and what only the service changes. */
  change(schedule: FakeSchedule, input: Record<string, unknown>, own: Partial<FakeSchedule> = {}): FakeSchedule {
    const fields = Object.entries(input)
      .filter(([name, value]) => value !== null || RESET_BY_NULL.includes(name))
      .map(([name, value]) => [name, value === null ? DEFAULTS[name] : shown(name, value)]);
    const timing = input.cron ? { interval: null } : input.interval ? { cron: null } : {};
    const kept = { revision: schedule.revision + 1, updated_at: new Date(this.#surroundings.now()).toISOString() };
    return Object.assign(schedule, Object.fromEntries(fields), timing, own, kept);
  }

  #refusalOf({ stop_at }: Record<string, unknown>): Response | undefined {
    if (stop_at == null || Date.parse(String(stop_at)) > this.#surroundings.now()) return undefined;
    const error = { field: "stop_at", message: "Must lie in the future." };
    return refuse(422, "validation_error", "The schedule is not valid", [error]);
  }

  #create(input: Record<string, unknown>): Response {
    const refusal = this.#refusalOf(input);
    if (refusal) return refusal;
    const holder = this.all.find(({ idempotency_key: key }) => input.idempotency_key && key === input.idempotency_key);
    if (holder) return refuse(409, "idempotency_key_conflict", "The key is in use", [], holder);
    const at = new Date(this.#surroundings.now()).toISOString();
    const schedule: FakeSchedule = {
      id: crypto.randomUUID(),
      name: input.name,
      status: "active",
      revision: 0,
      idempotency_key: null,
      cron: null,
      interval: null,
      next_run_at: at,
      last_run_at: null,
      run_count: 0,
      missed_runs: 0,
      skipped_runs: 0,
      created_at: at,
      updated_at: at,
      ...DEFAULTS,
      ...Object.fromEntries(
        Object.entries(input)
          .filter(([, value]) => value !== null)
          .map(([name, value]) => [name, shown(name, value)]),
      ),
    };
    this.all.push(schedule);
    return accept(schedule, 201);
  }
}

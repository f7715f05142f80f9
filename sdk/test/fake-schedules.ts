// Schedules of the service in memory: keys, revisions, If-Match, null for the default, pausing. They do not tick.

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
  backoff: null,
  expires_after: null,
};

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
    if (OVER.includes(schedule.status)) return refuse(409, `schedule_${schedule.status}`, "It is over");
    const ifMatch = request.headers.get("if-match");
    if (ifMatch !== null && ifMatch !== `"${schedule.revision}"`) {
      return refuse(412, "precondition_failed", "The schedule has changed", [], schedule);
    }
    switch (call) {
      case undefined:
        return accept(this.change(schedule, input));
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
    const fields = Object.entries(input).map(([name, value]) => [name, value ?? DEFAULTS[name] ?? null]);
    const timing = input.cron ? { interval: null } : input.interval ? { cron: null } : {};
    const kept = { revision: schedule.revision + 1, updated_at: new Date(this.#surroundings.now()).toISOString() };
    return Object.assign(schedule, Object.fromEntries(fields), timing, own, kept);
  }

  #create(input: Record<string, unknown>): Response {
    const holder = this.all.find(({ idempotency_key: key }) => input.idempotency_key && key === input.idempotency_key);
    if (holder) return refuse(409, "idempotency_key_conflict", "The key is in use", [], holder);
    const at = new Date(this.#surroundings.now()).toISOString();
    const schedule: FakeSchedule = {
      id: crypto.randomUUID(),
      name: input.name,
      status: "active",
      revision: 1,
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
      ...Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null)),
    };
    this.all.push(schedule);
    return accept(schedule, 201);
  }
}

// Jobs, executions and reports of the service in memory.

export interface FakeJob {
  id: string;
  status: string;
  handler: string | null;
  run_at: string | null;
  timeout: number;
  max_retries: number;
  attempts: number;
  [field: string]: unknown;
}

export interface FakeReport {
  job_id: string;
  execution_id: string;
  status: "completed" | "failed";
  result?: unknown;
  error?: { message: string; name?: string };
  retryable?: boolean;
}

export interface FakeExecution {
  id: string;
  job_id: string;
  attempt: number;
  status: string;
  leaseEndsAt: number | null;
  report: string | null;
  worker_id: string | null;
  due_at: string;
  started_at: string | null;
  completed_at: string | null;
  error: unknown;
  result: unknown;
  progress: unknown;
}

/** As the API shows it. */
export function shown({
  id,
  job_id,
  attempt,
  status,
  worker_id,
  due_at,
  started_at,
  completed_at,
  error,
  result,
  progress,
}: FakeExecution) {
  const trigger = attempt === 1 ? "scheduled" : "system_retry";
  const times = { due_at, started_at, completed_at, lateness_ms: 0 };
  return { id, job_id, attempt, trigger, status, worker_id, ...times, response: null, error, result, progress };
}

const UNIT_MS: Record<string, number> = {
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
};
type Length = { value: number; unit: string } | null | undefined;

const iso = (ms: number) => new Date(ms).toISOString();
const lengthOf = (length: Length) => (length ? length.value * (UNIT_MS[length.unit] ?? 0) : 0);

/** What a field reads of which nothing was said. */
const DEFAULTS: Record<string, unknown> = {
  handler: null,
  payload: null,
  delivery: { type: "pull" },
  timeout: 30,
  max_retries: 3,
  tags: [],
  flow: null,
  callbacks: null,
  backoff: null,
};

const dueAt = (input: Record<string, unknown>, now: number): number =>
  input.delay ? now + lengthOf(input.delay as Length) : Date.parse(String(input.scheduled_for ?? iso(now)));

/** Of a time on the wall it knows none: it reads text without an offset as UTC. */
function readable(input: Record<string, unknown>): Record<string, unknown> {
  return input.timezone ? { ...input, scheduled_for: `${input.scheduled_for}Z` } : input;
}

export function newFakeJob(asked: Record<string, unknown>, now: number): FakeJob {
  const input = readable(asked);
  const at = dueAt(input, now);
  const given = Object.entries(DEFAULTS).map(([name, otherwise]) => [name, input[name] ?? otherwise]);
  return {
    id: crypto.randomUUID(),
    schedule_id: null,
    name: input.name,
    status: "pending",
    idempotency_key: input.idempotency_key ?? null,
    scheduled_for: iso(at),
    run_at: iso(at),
    attempts: 0,
    last_error: null,
    result: null,
    expires_at: input.expires_after ? iso(at + lengthOf(input.expires_after as Length)) : null,
    origin: "api",
    revision: 1,
    created_at: iso(now),
    updated_at: iso(now),
    completed_at: null,
    ...Object.fromEntries(given),
  } as FakeJob;
}

/** A job's fields after a change. */
export function changed(job: FakeJob, asked: Record<string, unknown>, now: number): Partial<FakeJob> {
  const input = readable(asked);
  const known = Object.keys(input).filter((name) => name === "name" || name in DEFAULTS);
  const fields = Object.fromEntries(known.map((name) => [name, input[name] ?? DEFAULTS[name]]));
  const isMoved = input.delay != null || input.scheduled_for != null;
  const at = isMoved ? dueAt(input, now) : Date.parse(String(job.scheduled_for));
  const expiring = input.expires_after === undefined ? {} : { expires_at: null as string | null };
  if (input.expires_after) expiring.expires_at = iso(at + lengthOf(input.expires_after as Length));
  const moved = isMoved ? { scheduled_for: iso(at), run_at: iso(at) } : {};
  return { ...fields, ...expiring, ...moved, revision: Number(job.revision) + 1, updated_at: iso(now) };
}

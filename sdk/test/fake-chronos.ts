// The service in memory, as far as the SDK meets it: keys, envelopes, idempotency, leases, cancelling, long polls. It keeps
// to the contract, so that the real service's `fetch` can take its place (see app-under-test.ts). It is another machine: its
// clock goes on by itself when that of the tests is set, and may go ahead. Timers are those that the tests fake.

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

interface FakeExecution {
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
}

const iso = (ms: number) => new Date(ms).toISOString();
const ENDED = ["completed", "failed", "cancelled"];

export class FakeChronos {
  readonly apiKey = "chrns_0123456789abcdef";
  readonly baseUrl = "https://chronos.test";
  readonly jobs: FakeJob[] = [];
  readonly executions: FakeExecution[] = [];
  /** Its keys are refused, and due attempts wait. */
  suspended = false;
  readonly #bornAt: number;

  /** `aheadMs`: how much its clock differs from that of the tests. */
  constructor({ aheadMs = 0 } = {}) {
    this.#bornAt = Date.now() + aheadMs - performance.now();
  }

  readonly fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    if (request.headers.get("authorization") !== `Bearer ${this.apiKey}`)
      return refuse(401, "unauthorized", "No such key");
    if (this.suspended) return refuse(403, "account_suspended", "The account is suspended");
    const body = request.method === "POST" ? await request.text() : "";
    const json = body === "" ? {} : JSON.parse(body);
    const [, , first, second, third, fourth] = url.pathname.split("/");
    this.#expireLeases();
    if (first === "worker" && second === "jobs" && third === "claim") return this.#claim(json, init?.signal ?? null);
    if (first === "worker" && second === "jobs") return this.#worker(String(third), String(fourth), json);
    if (first !== "jobs") return refuse(404, "not_found", "No such path");
    if (second === undefined) return request.method === "POST" ? this.#create(json) : this.#list(url);
    const job = this.jobs.find((one) => one.id === second);
    if (job === undefined) return refuse(404, "job_not_found", "No such job");
    if (third === "executions") return page(url, this.executions.filter((one) => one.job_id === job.id).map(shown));
    if (third === "cancel") return this.#cancel(job);
    if (third === "retry") return this.#retry(job);
    return accept(job);
  };

  #now(): number {
    return Math.round(this.#bornAt + performance.now());
  }

  executionOf(job: { id: string }): FakeExecution {
    const execution = this.executions.findLast((one) => one.job_id === job.id);
    if (execution === undefined) throw new Error("The job has no execution");
    return execution;
  }

  job(id: string): FakeJob {
    const job = this.jobs.find((one) => one.id === id);
    if (job === undefined) throw new Error("No such job");
    return job;
  }

  /** What the service would put on a Cloudflare Queue. */
  enqueue(job: FakeJob): Record<string, unknown> {
    const execution = this.#execution(job);
    job.status = "queued";
    const { handler, scheduled_for, payload, timeout } = job;
    return {
      job_id: job.id,
      handler,
      execution_id: execution.id,
      scheduled_for,
      attempt: execution.attempt,
      payload,
      timeout,
    };
  }

  #create(input: Record<string, unknown>): Response {
    if (typeof input.name !== "string" || input.name === "") {
      return refuse(422, "validation_error", "The job is not valid", [{ field: "name", message: "is required" }]);
    }
    const holder = this.jobs.find((one) => input.idempotency_key && one.idempotency_key === input.idempotency_key);
    if (holder) return refuse(409, "idempotency_key_conflict", "The key is in use", [], holder);
    const now = this.#now();
    const units: Record<string, number> = { second: 1, minute: 60, hour: 3600, day: 86_400, week: 604_800 };
    const delay = input.delay as { value: number; unit: string } | undefined;
    const dueAt = delay
      ? now + delay.value * (units[delay.unit] ?? 0) * 1000
      : Date.parse(String(input.scheduled_for ?? iso(now)));
    const job: FakeJob = {
      id: crypto.randomUUID(),
      schedule_id: null,
      name: input.name,
      handler: (input.handler as string) ?? null,
      status: "pending",
      payload: input.payload ?? null,
      delivery: input.delivery ?? { type: "pull" },
      timeout: (input.timeout as number) ?? 30,
      max_retries: (input.max_retries as number) ?? 3,
      idempotency_key: input.idempotency_key ?? null,
      scheduled_for: iso(dueAt),
      run_at: iso(dueAt),
      attempts: 0,
      last_error: null,
      result: null,
      created_at: iso(now),
      updated_at: iso(now),
      completed_at: null,
    };
    this.jobs.push(job);
    return accept(job, 201);
  }

  #list(url: URL): Response {
    const statuses = url.searchParams.getAll("status");
    const handler = url.searchParams.get("handler");
    const found = this.jobs.filter(
      (job) => (statuses.length === 0 || statuses.includes(job.status)) && (!handler || job.handler === handler),
    );
    return page(url, found.toReversed());
  }

  #cancel(job: FakeJob): Response {
    if (ENDED.includes(job.status)) return refuse(409, "job_not_cancellable", "The job has ended");
    this.#end(job, "cancelled");
    for (const one of this.executions) {
      if (one.job_id === job.id && ["queued", "running"].includes(one.status)) one.status = "cancelled";
    }
    return accept(job);
  }

  #retry(job: FakeJob): Response {
    if (!["failed", "cancelled"].includes(job.status)) return refuse(409, "job_not_retryable", "The job may still run");
    Object.assign(job, { status: "pending", run_at: iso(this.#now()), completed_at: null });
    return accept(job);
  }

  /** As the service: at once if a job is due, else a status, a space each second, and the answer when there is one. */
  #claim(input: Record<string, unknown>, signal: AbortSignal | null): Response {
    const endsAt = this.#now() + Number(input.wait_time_seconds ?? 20) * 1000;
    const claimed = this.#claimDue(input);
    if (claimed || this.#now() >= endsAt) return accept(claimed);
    let timer: ReturnType<typeof setTimeout>;
    const encoder = new TextEncoder();
    const body = new ReadableStream<Uint8Array>({
      start: (out) => {
        const look = (looks: number) => {
          const found = this.#claimDue(input);
          if (!found && this.#now() < endsAt) {
            if (looks % 20 === 0) out.enqueue(encoder.encode(" "));
            timer = setTimeout(look, 50, looks + 1);
            return;
          }
          out.enqueue(encoder.encode(JSON.stringify({ success: true, message: "OK", data: found })));
          out.close();
        };
        timer = setTimeout(look, 50, 1);
        const leave = () => {
          clearTimeout(timer);
          out.error(signal?.reason);
        };
        signal?.addEventListener("abort", leave, { once: true });
      },
    });
    return new Response(body, { headers: { "content-type": "application/json", "x-request-id": crypto.randomUUID() } });
  }

  #claimDue(input: Record<string, unknown>): Record<string, unknown> | null {
    this.#expireLeases();
    const due = this.jobs.find(
      (job) =>
        ["pending", "retrying"].includes(job.status) &&
        Date.parse(job.run_at ?? "") <= this.#now() &&
        (input.handlers as string[]).includes(String(job.handler)),
    );
    return due ? this.#lease(due, this.#execution(due), input.worker_id) : null;
  }

  #worker(jobId: string, call: string, input: Record<string, unknown>): Response {
    const job = this.jobs.find((one) => one.id === jobId);
    const execution = this.executions.find((one) => one.id === input.execution_id && one.job_id === jobId);
    if (!job || !execution) return refuse(404, "job_not_found", "No such job");
    const lost = () => refuse(409, "lease_lost", "The execution does not hold the lease");
    if (call === "start") {
      return execution.status === "queued" ? accept(this.#lease(job, execution, input.worker_id)) : lost();
    }
    if (call === "heartbeat") {
      if (execution.status === "cancelled") return accept({ lease_expires_at: null, cancel_requested: true });
      if (execution.status !== "running") return lost();
      execution.leaseEndsAt = this.#now() + job.timeout * 1000;
      return accept({ lease_expires_at: iso(execution.leaseEndsAt), cancel_requested: false });
    }
    if (execution.report === call) return accept(job);
    if (execution.status !== "running") return lost();
    if (call === "complete") {
      Object.assign(execution, {
        status: "completed",
        report: call,
        result: input.result,
        completed_at: iso(this.#now()),
      });
      job.result = input.result ?? null;
      this.#end(job, "completed");
      return accept(job);
    }
    const error = input.error as { message: string; name?: string };
    const isText = (text: string, most: number) => [...text].length <= most && !/\p{Surrogate}/u.test(text);
    if (!isText(error.message, 4096) || !isText(error.name ?? "", 255))
      return refuse(422, "validation_error", "No text, or too long");
    Object.assign(execution, { status: "failed", report: call, error, completed_at: iso(this.#now()) });
    job.last_error = { code: "handler_error", message: error.message };
    this.#retryOrEnd(job, input.retryable !== false);
    return accept(job);
  }

  #execution(job: FakeJob): FakeExecution {
    job.attempts += 1;
    const execution: FakeExecution = {
      id: crypto.randomUUID(),
      job_id: job.id,
      attempt: job.attempts,
      status: "queued",
      leaseEndsAt: null,
      report: null,
      worker_id: null,
      due_at: job.run_at ?? iso(this.#now()),
      started_at: null,
      completed_at: null,
      error: null,
      result: null,
    };
    this.executions.push(execution);
    return execution;
  }

  #lease(job: FakeJob, execution: FakeExecution, workerId: unknown): Record<string, unknown> {
    const leaseEndsAt = this.#now() + job.timeout * 1000;
    Object.assign(execution, {
      status: "running",
      leaseEndsAt,
      worker_id: workerId ?? null,
      started_at: iso(this.#now()),
    });
    job.status = "running";
    const { handler, scheduled_for, payload, timeout } = job;
    const ids = { job_id: job.id, execution_id: execution.id, attempt: execution.attempt };
    return { ...ids, handler, scheduled_for, payload, timeout, lease_expires_at: iso(leaseEndsAt) };
  }

  #expireLeases(): void {
    for (const execution of this.executions) {
      if (execution.status !== "running" || (execution.leaseEndsAt ?? 0) > this.#now()) continue;
      execution.status = "timed_out";
      this.#retryOrEnd(this.job(execution.job_id), true);
    }
  }

  #retryOrEnd(job: FakeJob, retryable: boolean): void {
    if (!retryable || job.attempts > job.max_retries) this.#end(job, "failed");
    else Object.assign(job, { status: "retrying", run_at: iso(this.#now() + 1000) });
  }

  #end(job: FakeJob, status: string): void {
    Object.assign(job, { status, run_at: null, completed_at: iso(this.#now()) });
  }
}

function shown({
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
}: FakeExecution) {
  const trigger = attempt === 1 ? "scheduled" : "system_retry";
  const times = { due_at, started_at, completed_at, lateness_ms: 0 };
  return { id, job_id, attempt, trigger, status, worker_id, ...times, response: null, error, result };
}

/** `cursor` here is the number of items before the page. */
function page(url: URL, items: unknown[]): Response {
  const size = Number(url.searchParams.get("size") ?? 20);
  const cursor = url.searchParams.get("cursor");
  const offset = cursor === null ? (Number(url.searchParams.get("page") ?? 1) - 1) * size : Number(cursor);
  const next_cursor = offset + size < items.length ? String(offset + size) : null;
  const paging = {
    page: offset / size + 1,
    pages: Math.ceil(items.length / size),
    size,
    total: items.length,
    next_cursor,
  };
  const body = { success: true, message: "OK", data: items.slice(offset, offset + size), meta: { paging } };
  return Response.json(body, { headers: { "x-request-id": crypto.randomUUID() } });
}

function accept(data: unknown, status = 200): Response {
  return Response.json(
    { success: true, message: "OK", data },
    { status, headers: { "x-request-id": crypto.randomUUID() } },
  );
}

export function refuse(
  status: number,
  code: string,
  message: string,
  errors: unknown[] = [],
  data?: unknown,
  headers: Record<string, string> = {},
): Response {
  const init = { status, headers: { "x-request-id": "req-refused", ...headers } };
  return Response.json({ success: false, message, code, errors, ...(data === undefined ? {} : { data }) }, init);
}

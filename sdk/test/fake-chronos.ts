// The service in memory, as far as the SDK meets it: keys, envelopes, idempotency, leases, cancelling, long polls. It keeps
// to the contract, so that the real service's `fetch` can take its place (see app-under-test.ts). It is another machine: its
// clock goes on by itself when that of the tests is set, and may go ahead. Timers are those that the tests fake.

import { accept, page, refuse } from "./answers.ts";
import { FakeBulkActions } from "./fake-bulk-actions.ts";
import { changed, type FakeExecution, type FakeJob, type FakeReport, newFakeJob, shown } from "./fake-job.ts";
import { overviewOf } from "./fake-overview.ts";
import { FakeSchedules } from "./fake-schedules.ts";

const iso = (ms: number) => new Date(ms).toISOString();
const ENDED = ["completed", "failed", "cancelled"];

export class FakeChronos {
  readonly apiKey = "chrns_0123456789abcdef";
  readonly baseUrl = "https://chronos.test";
  readonly jobs: FakeJob[] = [];
  readonly executions: FakeExecution[] = [];
  readonly bulk = new FakeBulkActions(this.jobs);
  readonly schedules: FakeSchedules;
  /** The `traceparent` that each job was created with. */
  readonly traces = new Map<string, string>();
  /** Its keys are refused, and due attempts wait. */
  suspended = false;
  /** What the next reports of a call are answered with, in their order; undefined is what they deserve. */
  readonly answers: (Record<string, unknown> | undefined)[] = [];
  readonly #bornAt: number;
  /** The trace of the request that is being answered. */
  #trace: string | null = null;

  /** `aheadMs`: how much its clock differs from that of the tests. */
  constructor({ aheadMs = 0 } = {}) {
    this.#bornAt = Date.now() + aheadMs - performance.now();
    this.schedules = new FakeSchedules({ now: () => this.#now(), createJob: (input) => this.#create(input) });
  }

  readonly fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    if (request.headers.get("authorization") !== `Bearer ${this.apiKey}`)
      return refuse(401, "unauthorized", "No such key");
    if (this.suspended) return refuse(403, "account_suspended", "The account is suspended");
    const body = ["POST", "PATCH"].includes(request.method) ? await request.text() : "";
    const json = body === "" ? {} : JSON.parse(body);
    const [, , first, second, third, fourth] = url.pathname.split("/");
    this.#expireLeases();
    this.#trace = request.headers.get("traceparent");
    if (first === "worker" && second === "jobs" && third === "claim") return this.#claim(json, init?.signal ?? null);
    if (first === "worker" && second === "jobs" && third === "report") return this.#reportEach(json, body);
    if (first === "worker" && second === "jobs") return this.#worker(String(third), String(fourth), json);
    if (first === "schedules") return this.schedules.answer(request, second, third, json, url);
    if (first === "bulk-actions") return this.bulk.answer(request, second, third, json, url);
    if (first === "overview") return overviewOf(url);
    if (first !== "jobs") return refuse(404, "not_found", "No such path");
    if (second === "batch") return this.#createBatch(json, body);
    if (second === undefined) return request.method === "POST" ? this.#create(json) : this.#list(url);
    const job = this.jobs.find((one) => one.id === second);
    if (job === undefined) return refuse(404, "job_not_found", "No such job");
    if (third === "executions") return page(url, this.executions.filter((one) => one.job_id === job.id).map(shown));
    if (third === "cancel") return this.#cancel(job);
    if (third === "retry") return this.#retry(job);
    if (third === "run") return this.#run(job);
    const ifMatch = request.headers.get("if-match");
    if (ifMatch !== null && ifMatch !== `"${job.revision}"`) {
      return refuse(412, "precondition_failed", "The job has changed", [], job);
    }
    if (request.method === "PATCH") return this.#update(job, json);
    if (request.method === "DELETE") return this.#delete(job);
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
    if (holder && input.on_conflict === "replace") {
      if (holder.status === "pending") return this.#update(holder, input);
      holder.idempotency_key = null;
    } else if (holder) return refuse(409, "idempotency_key_conflict", "The key is in use", [], holder);
    const job = newFakeJob(input, this.#now());
    this.jobs.push(job);
    if (this.#trace !== null) this.traces.set(job.id, this.#trace);
    return accept(job, 201);
  }

  /** One that the schema refuses is a refusal of all of them; else one transaction. */
  async #createBatch({ jobs }: { jobs: Record<string, unknown>[] }, body: string): Promise<Response> {
    if (new TextEncoder().encode(body).byteLength > 1_048_576) return refuse(413, "payload_too_large", "Over 1 MB");
    const unnamed = jobs.findIndex(({ name }) => typeof name !== "string" || name === "");
    if (jobs.length < 1 || jobs.length > 100 || unnamed >= 0) {
      const field = { field: `jobs.${unnamed}.name`, message: "is required" };
      return refuse(422, "validation_error", "The jobs are not valid", [field]);
    }
    const answers = jobs.map((job) => this.#create(job));
    const entries = await Promise.all(
      answers.map(async (answer) => {
        const { code, data } = await answer.json();
        return { status: answer.status, ...(code && { code }), job: data };
      }),
    );
    return accept(entries, entries.some(({ status }) => status === 201) ? 201 : 200);
  }

  #update(job: FakeJob, input: Record<string, unknown>): Response {
    if (!["pending", "retrying"].includes(job.status)) return refuse(409, "job_not_editable", "The job has started");
    return accept(Object.assign(job, changed(job, input, this.#now())));
  }

  #run(job: FakeJob): Response {
    if (!["pending", "retrying"].includes(job.status)) return refuse(409, "job_not_runnable", "The job has started");
    return accept(Object.assign(job, { run_at: iso(this.#now()), revision: Number(job.revision) + 1 }));
  }

  #delete(job: FakeJob): Response {
    if (!ENDED.includes(job.status)) return refuse(409, "job_not_deletable", "The job has not ended");
    this.jobs.splice(this.jobs.indexOf(job), 1);
    return accept(null);
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
    if (claimed.length > 0 || this.#now() >= endsAt) return accept(claimed);
    let timer: ReturnType<typeof setTimeout>;
    const encoder = new TextEncoder();
    const body = new ReadableStream<Uint8Array>({
      start: (out) => {
        const look = (looks: number) => {
          const found = this.#claimDue(input);
          if (found.length === 0 && this.#now() < endsAt) {
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

  #claimDue(input: Record<string, unknown>): Record<string, unknown>[] {
    this.#expireLeases();
    const due = this.jobs.filter(
      (job) =>
        ["pending", "retrying"].includes(job.status) &&
        Date.parse(job.run_at ?? "") <= this.#now() &&
        (input.handlers as string[]).includes(String(job.handler)),
    );
    const taken = due.slice(0, Number(input.max_jobs));
    return taken.map((job) => this.#lease(job, this.#execution(job), input.worker_id));
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
      execution.progress = input.progress ?? execution.progress;
      return accept({ lease_expires_at: iso(execution.leaseEndsAt), cancel_requested: false });
    }
    return refuse(404, "not_found", "No such path");
  }

  /** One that the schema refuses is a refusal of all of them; else each counts as if it had come alone. */
  #reportEach({ reports }: { reports: FakeReport[] }, body: string): Response {
    if (new TextEncoder().encode(body).byteLength > 1_048_576) return refuse(413, "payload_too_large", "Over 1 MB");
    const isText = (text: string, most: number) => [...text].length <= most && !/\p{Surrogate}/u.test(text);
    const isRefused = ({ result, error }: FakeReport) =>
      JSON.stringify(result) === '"refused"' || !isText(error?.message ?? "", 4096) || !isText(error?.name ?? "", 255);
    if (reports.length < 1 || reports.length > 100 || reports.some(isRefused))
      return refuse(422, "validation_error", "Not as the schema says");
    return accept(reports.map((report) => this.answers.shift() ?? this.#report(report)));
  }

  #report({ job_id, execution_id, status, result, error, retryable }: FakeReport): Record<string, unknown> {
    const job = this.jobs.find((one) => one.id === job_id);
    const execution = this.executions.find((one) => one.id === execution_id && one.job_id === job_id);
    if (!job || !execution) return { status: 404, code: "job_not_found" };
    if (execution.report === status) return { status: 200, job };
    if (execution.status !== "running") return { status: 409, code: "lease_lost" };
    Object.assign(execution, { status, report: status, result, error, completed_at: iso(this.#now()) });
    if (status === "completed") {
      job.result = result ?? null;
      this.#end(job, "completed");
    } else {
      job.last_error = { code: "handler_error", message: error?.message };
      this.#retryOrEnd(job, retryable !== false);
    }
    return { status: 200, job };
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
      progress: null,
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
    const traceparent = this.traces.get(job.id);
    return {
      ...ids,
      handler,
      scheduled_for,
      payload,
      timeout,
      ...(traceparent && { traceparent }),
      lease_expires_at: iso(leaseEndsAt),
    };
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

// An account of a test's own, and whatever an operation needs to be there before it can succeed.

import { once } from "node:events";
import { createServer } from "node:http";
import { vi } from "vitest";
import type { Service } from "../../sdk/harness/service.ts";

interface Envelope {
  readonly message: string;
  readonly data?: unknown;
}

export interface Call {
  readonly key?: string | undefined;
  readonly body?: unknown;
  readonly raw?: string | undefined;
}

export interface Ids {
  readonly id?: string;
  readonly execution_id?: string;
}

const LATER = { value: 1, unit: "hour" };

export class Tenant {
  readonly #service: Service;
  readonly key: string;

  private constructor(service: Service, key: string) {
    this.#service = service;
    this.key = key;
  }

  static async of(service: Service): Promise<Tenant> {
    return new Tenant(service, (await service.newAccount()).apiKey);
  }

  async send(method: string, path: string, { key = this.key, body, raw }: Call = {}) {
    const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const headers = {
      authorization: `Bearer ${key}`,
      ...(sent !== undefined && { "content-type": "application/json" }),
    };
    const response = await fetch(this.#service.url + path, { method, headers, body: sent ?? null });
    return { status: response.status, headers: response.headers, body: (await response.json()) as Envelope };
  }

  async must<T = { id: string }>(method: string, path: string, call: Call = {}): Promise<T> {
    const { status, body } = await this.send(method, path, call);
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(body)}`);
    return body.data as T;
  }

  /** Brings about what an operation needs, and tells the ids it is called with. */
  async ready(operationId: string): Promise<Ids> {
    const operator = { key: this.#service.dev.admin_token };
    switch (operationId) {
      case "getJob":
      case "listExecutions":
      case "cancelJob":
        return this.#job({ delay: LATER });
      case "retryJob": {
        const { id } = await this.#job({ delay: LATER });
        return this.must("POST", `/v1/jobs/${id}/cancel`);
      }
      case "claimJob":
        return this.#job({ handler: "resize" });
      case "startExecution":
        return this.#queued();
      case "heartbeat":
      case "completeJob":
      case "failJob":
        return this.#claimed();
      case "getSchedule":
      case "previewNextRuns":
      case "updateSchedule":
      case "archiveSchedule": {
        const delivery = { type: "push", http: { url: "https://example.com/", method: "POST" } };
        return this.must("POST", "/v1/schedules", { body: { name: "a schedule", cron: "0 9 * * 1", delivery } });
      }
      case "deleteApiKey":
        return this.must("POST", "/v1/api-keys", { body: { name: "another" } });
      case "suspendAccount":
      case "resumeAccount":
      case "deleteAccount":
        return this.must("POST", "/v1/admin/accounts", { ...operator, body: { name: "a tenant" } });
      default:
        return {};
    }
  }

  async completedSchedule(): Promise<string> {
    const body = { name: "once", handler: "once", interval: { value: 1, unit: "second" }, runs: 1 };
    const { id } = await this.must("POST", "/v1/schedules", { body });
    await vi.waitFor(
      async () => {
        const { status } = await this.must<{ status: string }>("GET", `/v1/schedules/${id}`);
        if (status !== "completed") throw new Error(`It is ${status}`);
      },
      { timeout: 10_000, interval: 200 },
    );
    return id;
  }

  /** One job that was pushed and answered, one that a worker completed; both ended. */
  async endedJobs(): Promise<{ push: string; pull: string }> {
    const server = createServer((_, response) => response.end("thank you")).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/`;
    const { id: push } = await this.#job({ delivery: { type: "push", http: { url, method: "POST" } } });
    const { id: pull = "", execution_id } = await this.#claimed();
    await this.must("POST", `/v1/worker/jobs/${pull}/complete`, { body: { execution_id, result: { ok: true } } });
    await vi.waitFor(
      async () => {
        const { status } = await this.must<{ status: string }>("GET", `/v1/jobs/${push}`);
        if (status !== "completed") throw new Error(`It is ${status}`);
      },
      { timeout: 10_000, interval: 100 },
    );
    server.close();
    return { push, pull };
  }

  #job(body: object): Promise<{ id: string }> {
    return this.must("POST", "/v1/jobs", { body: { name: "a job", handler: "a", ...body } });
  }

  async #claimed(): Promise<Ids> {
    const { id } = await this.#job({});
    const { execution_id } = await this.must<{ execution_id: string }>("POST", "/v1/worker/jobs/claim", {
      body: { handlers: ["a"] },
    });
    return { id, execution_id };
  }

  async #queued(): Promise<Ids> {
    const { id } = await this.#job({});
    const execution_id = await vi.waitFor(
      async () => {
        const [one] = await this.must<{ id: string; status: string }[]>("GET", `/v1/jobs/${id}/executions`);
        if (one?.status !== "queued") throw new Error("Not queued yet");
        return one.id;
      },
      { timeout: 10_000, interval: 50 },
    );
    return { id, execution_id };
  }
}

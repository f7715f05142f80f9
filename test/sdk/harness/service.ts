// The whole service as a process of its own, on any free port with a fresh state.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AnyHandlers, Chronos, type ChronosOptions, type HandlerMap } from "@chronos-edge/sdk";
import { vi } from "vitest";
import type { DevAccount } from "../../../local/account.ts";
import { Child } from "./child.ts";

export interface Account {
  readonly apiKey: string;
  readonly signingSecret: string;
}

/** Seconds on an idle machine; several services may start at once on a busy one. */
const START_MS = 80_000;

const silent = { debug() {}, info() {}, warn() {}, error() {} };

export class Service {
  readonly folder: string;
  readonly #child: Child;

  private constructor(folder: string, child: Child) {
    this.folder = folder;
    this.#child = child;
  }

  /** Resolves once it serves. `program` starts it: a script, and what it is told. */
  static async start(
    program: readonly string[] = ["local/start.ts"],
    folder = mkdtempSync(join(tmpdir(), "chronos-")),
  ): Promise<Service> {
    const env = { CHRONOS_STATE: folder, PORT: "0", CHRONOS_LOG: "json" };
    const service = new Service(folder, new Child(program, { env }));
    try {
      await service.#child.says(/Chronos is running\./, START_MS);
      return service;
    } catch (error) {
      await service.stop();
      throw error;
    }
  }

  get dev(): DevAccount {
    return JSON.parse(readFileSync(join(this.folder, "dev.json"), "utf8"));
  }

  get url(): string {
    return this.dev.url;
  }

  get log(): string {
    return this.#child.output;
  }

  /** An account of a test's own, so that no test meets another's jobs or rate limits. */
  async newAccount(): Promise<Account> {
    const made = await this.call<{ api_key: string; signing_secret: string }>("/v1/admin/accounts", {
      key: this.dev.admin_token,
      body: { name: "a tenant" },
    });
    return { apiKey: made.api_key, signingSecret: made.signing_secret };
  }

  /** More keys of the same account: rate limits are per key. */
  async moreKeys({ apiKey }: Account, count: number): Promise<string[]> {
    const make = () => this.call<{ key: string }>("/v1/api-keys", { key: apiKey, body: { name: "one more" } });
    return (await Promise.all(Array.from({ length: count }, make))).map(({ key }) => key);
  }

  /** A client that logs nothing, unless told otherwise. */
  client<M extends HandlerMap<M> = AnyHandlers>(apiKey: string, options: Partial<ChronosOptions> = {}): Chronos<M> {
    return new Chronos<M>({ apiKey, baseUrl: this.url, logger: silent, ...options });
  }

  /** Without the SDK, as curl would: the data of an answer that must be a success. */
  async call<T>(path: string, { key, body }: { key: string; body: unknown }): Promise<T> {
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    const response = await fetch(this.url + path, { method: "POST", headers, body: JSON.stringify(body) });
    const answer = (await response.json()) as { data: T };
    if (!response.ok) throw new Error(`${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer.data;
  }

  /** SIGKILL to workerd; resolves once the next one serves. */
  async killRuntime(): Promise<void> {
    const pid = this.#runtime();
    process.kill(pid, "SIGKILL");
    await vi.waitFor(
      async () => {
        if (this.#runtime() === pid) throw new Error("No new workerd yet");
        const health = await fetch(`${this.url}/health`);
        await health.body?.cancel();
        if (!health.ok) throw new Error(`Not healthy: ${health.status}`);
      },
      { timeout: 20_000, interval: 50 },
    );
  }

  /** Ends the process; its state stays, for another start in the same folder. */
  async end(): Promise<void> {
    await this.#child.end();
  }

  async stop(): Promise<void> {
    await this.end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #runtime(): number {
    return JSON.parse(readFileSync(join(this.folder, "run.json"), "utf8")).workerd_pid;
  }
}

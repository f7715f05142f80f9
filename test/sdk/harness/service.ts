// The running service as users of the SDK see it: the one all files share, or a process of one's own.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AnyHandlers, Chronos, type ChronosOptions, type HandlerMap } from "@chronos-edge/sdk";
import { vi } from "vitest";
import type { DevAccount } from "../../../local/account.ts";
import { sharedService } from "../../harness/shared.ts";
import { Child } from "./child.ts";

export interface Account {
  readonly apiKey: string;
  readonly signingSecret: string;
}

/** Seconds on an idle machine; several services may start at once on a busy one. */
const START_MS = 80_000;

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** A service somebody runs. */
export class Service {
  /** Its state. */
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** The one for all who neither crash it nor look into its log. */
  static async shared(): Promise<Service> {
    const { folder } = await sharedService();
    return new Service(join(folder, "state"));
  }

  get dev(): DevAccount {
    return JSON.parse(readFileSync(join(this.folder, "dev.json"), "utf8"));
  }

  get url(): string {
    return this.dev.url;
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
}

/** A process of one's own, on any free port with a fresh state. */
export class OwnService extends Service {
  readonly #child: Child;

  private constructor(folder: string, child: Child) {
    super(folder);
    this.#child = child;
  }

  /** Resolves once it serves. `program` starts it: a script, and what it is told. */
  static async start(
    program: readonly string[] = ["local/start.ts"],
    folder = mkdtempSync(join(tmpdir(), "chronos-")),
  ): Promise<OwnService> {
    const env = { CHRONOS_STATE: folder, PORT: "0", CHRONOS_LOG: "json" };
    const service = new OwnService(folder, new Child(program, { env }));
    try {
      await service.#child.says(/Chronos is running\./, START_MS);
      return service;
    } catch (error) {
      await service.stop();
      throw error;
    }
  }

  get log(): string {
    return this.#child.output;
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

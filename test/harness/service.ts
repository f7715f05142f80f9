// The whole service as a user has it: `npm start` on a folder of its own and a free port, its log in a file. Whoever
// starts one ends it; others may look at it and speak to it.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { DevAccount } from "../../local/account.ts";
import { PROJECT } from "../../local/settings.ts";
import { killAll, treeOf } from "./process-tree.ts";
import { Tenant } from "./tenant.ts";
import { until } from "./until.ts";

const RUNNING = "Chronos is running.";
/** Our own last line in the log: those who only look at a service learn from it that there is none. */
const ENDED = "(the service has ended)";

/** Seconds on an idle machine; several services may start at once on a busy one. */
const START_MS = 80_000;
const COME_BACK_MS = 20_000;
/** vitest itself waits ten seconds for what is put away after the tests. */
const STOP_MS = 7_000;

/** A service somebody runs on this folder. */
export class Service {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Waits until it serves. */
  async ready(): Promise<this> {
    const isDecided = () => this.log.includes(RUNNING) || this.log.includes(ENDED);
    await until(isDecided, START_MS, () => `It does not start:\n${this.log}`, 100);
    if (!this.log.includes(RUNNING)) throw new Error(`It did not start:\n${this.log}`);
    return this;
  }

  get dev(): DevAccount {
    return JSON.parse(readFileSync(join(this.folder, "state", "dev.json"), "utf8"));
  }

  get url(): string {
    return this.dev.url;
  }

  /** What it has printed since its last start. */
  get log(): string {
    const path = join(this.folder, "log");
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  get workerdPid(): number {
    return JSON.parse(readFileSync(join(this.folder, "state", "run.json"), "utf8")).workerd_pid;
  }

  /** Who may call /v1/admin, and nothing else. */
  get operator(): Tenant {
    const { url, admin_token } = this.dev;
    return new Tenant({ url, id: "", apiKey: admin_token, signingSecret: "" });
  }

  /** An account of a test's own: no test meets another's jobs or rate limits. */
  async newTenant(name = "a tenant", database?: number): Promise<Tenant> {
    type Made = { id: string; api_key: string; signing_secret: string };
    const made = await this.operator.post<Made>("/v1/admin/accounts", { name, database });
    return new Tenant({ url: this.url, id: made.id, apiKey: made.api_key, signingSecret: made.signing_secret });
  }

  /** SIGKILL to workerd: no goodbye, nothing flushed. Resolves once the next one serves. */
  async crash(limitMs = COME_BACK_MS): Promise<void> {
    const pid = this.workerdPid;
    process.kill(pid, "SIGKILL");
    const isBack = async () =>
      this.workerdPid !== pid &&
      (await fetch(`${this.url}/health`, { signal: AbortSignal.timeout(5_000) }).catch(() => null))?.ok === true;
    await until(isBack, limitMs, () => `It does not come back:\n${this.log}`, 100);
  }
}

export interface OwnServiceOptions {
  /** What starts it: a program, and what that is told. */
  readonly command?: readonly string[];
  /** Any free one, unless told otherwise. */
  readonly port?: number;
  /** Where the command is run: in the project, unless told otherwise. */
  readonly cwd?: string;
  /** The folder with the state of another service. */
  readonly folder?: string;
  readonly env?: Record<string, string>;
}

/** A service of one's own. `stop()` it, whatever happens. */
export class OwnService extends Service {
  readonly #options: OwnServiceOptions;
  /** Where its log is: not beside the state, when that is another's. */
  readonly #logFolder: string;
  /** The command behind a guard, which hands on signals and the exit code. */
  #guard: ChildProcess | undefined;
  /** What must be gone once it has ended. */
  #terminated: number[] = [];

  constructor(options: OwnServiceOptions = {}) {
    const own = mkdtempSync(join(tmpdir(), "chronos-service-"));
    super(options.folder ?? own);
    this.#options = options;
    this.#logFolder = own;
    this.start();
  }

  override get log(): string {
    return readFileSync(join(this.#logFolder, "log"), "utf8");
  }

  /** Starts it again on what it knows. */
  start(port = this.#options.port ?? 0): void {
    const { command = ["npm", "start"], cwd = PROJECT } = this.#options;
    const path = join(this.#logFolder, "log");
    const log = openSync(path, "w");
    const env = {
      CHRONOS_STATE: join(this.folder, "state"),
      PORT: `${port}`,
      CHRONOS_LOG: "json",
      NO_COLOR: "1",
      ...this.#options.env,
    };
    const script = ["--no-warnings", join(import.meta.dirname, "guard.ts")];
    const guard = spawn(process.execPath, [...script, ...command], {
      cwd,
      stdio: ["pipe", log, log],
      env: { ...process.env, ...env },
    });
    closeSync(log);
    // The end of one that was killed may be heard of when the next one writes here already.
    guard.once("exit", () => this.#guard === guard && existsSync(path) && appendFileSync(path, `${ENDED}\n`));
    this.#guard = guard;
  }

  /** The pids of all its processes. */
  get processes(): number[] {
    return this.#guard?.pid === undefined ? [] : treeOf(this.#guard.pid);
  }

  /** Waits until it ends by itself. @returns its exit code */
  async ended(limitMs = START_MS): Promise<number | null> {
    const hasEnded = () => this.#guard?.exitCode !== null;
    await until(hasEnded, limitMs, () => `It does not end:\n${this.log}`, 50);
    return this.#guard?.exitCode ?? null;
  }

  /** SIGTERM, as a supervisor would. @returns its exit code; null when it does not end, or died of a signal */
  async terminate(limitMs = STOP_MS): Promise<number | null> {
    const guard = this.#guard;
    if (!guard || guard.exitCode !== null || guard.signalCode !== null) return guard?.exitCode ?? null;
    this.#terminated = this.processes;
    const ended = once(guard, "exit");
    guard.kill("SIGTERM");
    await Promise.race([ended, sleep(limitMs, undefined, { ref: false })]);
    return guard.exitCode;
  }

  /** Ends it, by force if need be, and forgets all it knew. */
  async stop(): Promise<void> {
    await this.terminate();
    killAll(this.#terminated);
    rmSync(this.#logFolder, { recursive: true, force: true });
  }
}

// The service as a user starts it, on a state and a port of its own; its workerd can be killed, its log is kept.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { quietPort } from "../../harness/quiet-port.ts";
import { until } from "./wait.ts";

const PROJECT = join(import.meta.dirname, "../../..");
const START_MS = 60_000;
const COME_BACK_MS = 60_000;

export class Service {
  readonly #child: ChildProcess;
  readonly #state: string;
  /** Everything it has written, as it came. */
  readonly output: string[] = [];
  url = "";
  adminToken = "";

  private constructor(state: string, port: number) {
    this.#state = state;
    this.#child = spawn(process.execPath, ["--no-warnings", "local/start.ts"], {
      cwd: PROJECT,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, CHRONOS_STATE: state, PORT: `${port}`, CHRONOS_LOG: "json" },
    });
    process.once("exit", () => void this.#child.kill("SIGTERM")); // whatever ends us, it does not stay behind
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => void this.output.push(text));
  }

  static async start(): Promise<Service> {
    const service = new Service(mkdtempSync(join(tmpdir(), "chronos-faults-")), await quietPort());
    const known = join(service.#state, "dev.json");
    const up = await until(() => existsSync(known) || service.#child.exitCode !== null, START_MS);
    if (!up || service.#child.exitCode !== null) {
      await service.stop();
      throw new Error(`The service did not start:\n${service.output.join("")}`);
    }
    const { url, admin_token } = JSON.parse(readFileSync(known, "utf8"));
    service.url = url;
    service.adminToken = admin_token;
    return service;
  }

  /** The process that serves. */
  get workerdPid(): number {
    return JSON.parse(readFileSync(join(this.#state, "run.json"), "utf8")).workerd_pid;
  }

  /** Resident memory of workerd in MB. */
  get memoryMb(): number {
    const status = readFileSync(`/proc/${this.workerdPid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
  }

  /** SIGKILL: no goodbye, nothing flushed. It is restarted by its parent. */
  kill(): void {
    process.kill(this.workerdPid, "SIGKILL");
  }

  async comesBack(): Promise<void> {
    const isWell = async () =>
      (await fetch(`${this.url}/health`, { signal: AbortSignal.timeout(10_000) }).catch(() => null))?.ok === true;
    if (await until(isWell, COME_BACK_MS)) return;
    throw new Error(`The service did not come back:\n${this.output.slice(-30).join("")}`);
  }

  /** The lines of the log, read; what is no line of ours is left out. */
  events(): { event: string; [field: string]: unknown }[] {
    return this.output
      .join("")
      .split("\n")
      .filter((line) => line.startsWith('{"level"'))
      .flatMap((line) => {
        try {
          return [JSON.parse(line)];
        } catch {
          return []; // cut off by a crash
        }
      });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null) {
      const ended = once(this.#child, "exit");
      this.#child.kill("SIGTERM");
      await ended;
    }
    rmSync(this.#state, { recursive: true, force: true });
  }
}

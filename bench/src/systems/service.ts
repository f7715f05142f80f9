// The service as `npm start` runs it, with a state folder of its own. Its rate limits are met as users would meet them: by
// enough accounts with enough API keys.

import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { sendAll } from "../load.ts";
import { freePort, HOST, PROJECT, startProgram, stop, until } from "../processes.ts";
import { KeyRing } from "./key-ring.ts";
import { NO_TARGET, type System } from "./system.ts";
import { callWith, pushJob, Tenant } from "./tenant.ts";

/** Those with pull jobs and lists of their own: 44 requests a second each. */
const TENANTS = 8;

/** Those that make push jobs, all together: 1,400 requests a second. Two keys of each are left for what it asks for itself. */
const MAKERS = 40;
const OWN_KEYS = 2;

const KEYS_PER_ACCOUNT = 10;
const START_MS = 90_000;

/** Nobody's id, and one that could exist: asking for it makes the service look up the key, and little else. */
const NO_JOB = "00000000-0000-4000-8000-000000000000";

export interface Service extends System {
  readonly url: string;
  readonly stateFolder: string;
  readonly tenants: readonly Tenant[];
  /** Accounts whose push jobs `create` makes. */
  readonly makers: readonly Tenant[];
  /** Whether it has `POST /v1/jobs/batch`. */
  takesBatches(): Promise<boolean>;
  /** How many requests it has answered so far, by its own log. */
  requests(): number;
  /** Stops it for what `between` does, then serves again, from the state folder that answers. */
  restart(between: () => string): Promise<void>;
}

/** @param name what it is called in the tables */
export async function startService(
  folder: string,
  name = "Chronos",
  stateAt = join(folder, "state"),
): Promise<Service> {
  let stateFolder = stateAt;
  mkdirSync(folder, { recursive: true });
  const logFile = join(folder, "service.log");
  const port = await freePort();
  const url = `http://${HOST}:${port}`;
  const start = async () => {
    const env = { ...process.env, PORT: String(port), CHRONOS_STATE: stateFolder, CHRONOS_LOG: "json" };
    rmSync(join(stateFolder, "dev.json"), { force: true }); // written again once the server is ready
    const child = startProgram(process.execPath, ["--no-warnings", "local/start.ts"], folder, {
      env,
      cwd: PROJECT,
      logFile,
    });
    const account = await until(START_MS, () => {
      if (child.exitCode !== null) throw new Error(`the service ended; its log is in ${folder}`);
      return JSON.parse(readFileSync(join(stateFolder, "dev.json"), "utf8"));
    });
    return { child, adminToken: String(account.admin_token) };
  };
  let { child, adminToken } = await start();
  const keys = await makeKeys(url, adminToken);
  const tenants = keys.slice(0, TENANTS).map((own) => new Tenant(url, own));
  const makers = keys.slice(TENANTS).map((own) => new Tenant(url, own.slice(0, OWN_KEYS)));
  // Accounts take turns, so that what is made in a row is not all of one.
  const turns = Array.from({ length: KEYS_PER_ACCOUNT - OWN_KEYS }, (_, i) => i + OWN_KEYS);
  const ring = new KeyRing(turns.flatMap((nth) => keys.slice(TENANTS).map((own) => own[nth] ?? "")));
  return {
    name,
    note: "npm start, SQLite on disk, each write synced",
    url,
    get stateFolder() {
      return stateFolder;
    },
    requests: () => readFileSync(logFile, "utf8").split('"event":"request"').length - 1,
    get pids() {
      return child.pid === undefined ? [] : [child.pid];
    },
    tenants,
    makers,
    create: (when, target) => callWith(url, ring.next(), "/v1/jobs", pushJob(when, target)),
    createMany: (when, count) => {
      const jobs = Array.from({ length: count }, () => pushJob(when, NO_TARGET));
      return callWith(url, ring.next(), "/v1/jobs/batch", { jobs });
    },
    idOf: (answer) => (answer as { data: { id: string } }).data.id,
    async ready(requests) {
      const calls = ring
        .unfamiliar(requests)
        .map((key) => fetch(`${url}/v1/jobs/${NO_JOB}`, { headers: { authorization: `Bearer ${key}` } }));
      for (const answer of await Promise.all(calls)) await answer.body?.cancel();
    },
    async takesBatches() {
      const asked = callWith(url, ring.next(), "/v1/jobs/batch", { jobs: [pushJob("tomorrow", NO_TARGET)] });
      const headers = { ...asked.headers, "content-type": "application/json" };
      const answer = await fetch(asked.url, { method: "POST", headers, body: asked.body });
      await answer.body?.cancel();
      return answer.ok;
    },
    async restart(between) {
      await stop(child);
      stateFolder = between();
      ({ child, adminToken } = await start());
    },
    stop: () => stop(child),
  };
}

/** Makes accounts with their keys, through the admin API and each account's own. */
async function makeKeys(url: string, adminToken: string): Promise<string[][]> {
  const asOperator = callWith(url, adminToken, "/v1/admin/accounts", { name: "bench" });
  const made = await sendAll(Array(TENANTS + MAKERS).fill(asOperator), 4);
  return Promise.all(
    made.map(async (answer) => {
      const key = keyOf(answer);
      const more = callWith(url, key, "/v1/api-keys", { name: "bench" });
      const answers = await sendAll(Array(KEYS_PER_ACCOUNT).fill(more), 1);
      return answers.map(keyOf); // the first one has had its requests
    }),
  );
}

function keyOf(answer: unknown): string {
  const { data } = answer as { data: { key?: string; api_key?: string } };
  const key = data.key ?? data.api_key;
  if (key === undefined) throw new Error("the service answered no key");
  return key;
}

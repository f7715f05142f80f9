// The service as `npm start` runs it, with a state folder of its own. Its rate limits are met as a user would meet them: by
// enough API keys.

import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Call } from "../load.ts";
import { sendAll } from "../load.ts";
import { freePort, HOST, PROJECT, startProgram, stop, until } from "../processes.ts";
import { KeyRing } from "./key-ring.ts";
import { AHEAD_MS, PAYLOAD, type System, type When } from "./system.ts";

/**
 * 90 of 100 requests in 20 s from each key, and of 1,000 in 10 s from each account: 85 requests a second as the first
 * account, 1,700 as the others, which take turns.
 */
const ACCOUNTS = 21;
const KEYS_PER_ACCOUNT = 20;
const START_MS = 90_000;

/** Nobody's id: asking for it makes the service look up the key, and little else. */
const NO_JOB = "00000000-0000-4000-8000-000000000000";

export interface Service extends System {
  readonly url: string;
  readonly stateFolder: string;
  /** Keys of the first account: pull workers only meet the jobs of their own. */
  readonly workerKeys: readonly string[];
  call(key: string, path: string, body: object): Call;
  /** A pull job of the first account. */
  createPull(when: When, handler: string): Call;
  get(path: string): Promise<Response>;
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
  const first = new KeyRing(keys[0] ?? []);
  const others = new KeyRing(
    Array.from({ length: KEYS_PER_ACCOUNT }, (_, i) => keys.slice(1).map((of) => of[i] ?? "")).flat(),
  );
  const callWith = (key: string, path: string, body: object): Call => ({
    url: url + path,
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify(body),
  });
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
    workerKeys: (keys[0] ?? []).slice(0),
    call: callWith,
    create: (when, target) =>
      callWith(others.next(), "/v1/jobs", {
        name: "bench",
        payload: PAYLOAD,
        ...timeOf(when),
        delivery: { type: "push", http: { url: target, method: "POST" } },
      }),
    createPull: (when, handler) =>
      callWith(first.next(), "/v1/jobs", { name: "bench", handler, payload: PAYLOAD, ...timeOf(when) }),
    idOf: (answer) => (answer as { data: { id: string } }).data.id,
    get: (path) => fetch(url + path, { headers: { authorization: `Bearer ${first.next()}` } }),
    async ready(requests) {
      const calls = others
        .unfamiliar(requests)
        .map((key) => fetch(`${url}/v1/jobs/${NO_JOB}`, { headers: { authorization: `Bearer ${key}` } }));
      for (const answer of await Promise.all(calls)) await answer.body?.cancel();
    },
    async restart(between) {
      await stop(child);
      stateFolder = between();
      ({ child, adminToken } = await start());
    },
    stop: () => stop(child),
  };
}

function timeOf(when: When): object {
  if (when === "now") return {};
  if (typeof when === "number") return { scheduled_for: new Date(when).toISOString() };
  return { delay: { value: AHEAD_MS[when] / 1_000, unit: "second" } };
}

/** Makes accounts with their keys, through the admin API and each account's own. */
async function makeKeys(url: string, adminToken: string): Promise<string[][]> {
  const asOperator = { url: `${url}/v1/admin/accounts`, headers: { authorization: `Bearer ${adminToken}` } };
  const made = await sendAll(Array(ACCOUNTS).fill({ ...asOperator, body: JSON.stringify({ name: "bench" }) }), 4);
  const firstKeys = made.map((answer) => (answer as { data: { api_key: string } }).data.api_key);
  return Promise.all(
    firstKeys.map(async (key) => {
      const more = { url: `${url}/v1/api-keys`, headers: { authorization: `Bearer ${key}` }, body: '{"name":"bench"}' };
      const answers = await sendAll(Array(KEYS_PER_ACCOUNT - 1).fill(more), 4);
      return answers.map((answer) => keyOf(answer)); // the first one has had its requests
    }),
  );
}

function keyOf(answer: unknown): string {
  const { data } = answer as { data: { key?: string; api_key?: string } };
  const key = data.key ?? data.api_key;
  if (key === undefined) throw new Error("the service answered no key");
  return key;
}

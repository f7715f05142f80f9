// Targets of every kind of malice: none holds a job longer than its timeout and a second, none costs memory beyond the
// kept 4 KB, and the outcome is the right one.

import { readFileSync } from "node:fs";
import { freePort } from "../../../local/port.ts";
import { eachOf } from "../../harness/each-of.ts";
import type { Service } from "../../harness/service.ts";
import { holdsWithin } from "../../harness/until.ts";
import { PatientTenant } from "../harness/patient-tenant.ts";
import { p99 } from "../harness/table.ts";
import type { Part } from "../part.ts";
import { HostileServer, type Misdeed, TIMEOUT_SECONDS } from "./hostile-server.ts";

/** How the one attempt must end. */
interface Ending {
  readonly status: "completed" | "failed" | "timed_out" | "cancelled";
  readonly code: string | null;
  /** Whether the kept body must be marked as cut. */
  readonly truncated?: true;
}

const NETWORK: Ending = { status: "failed", code: "network" };
const TIMEOUT: Ending = { status: "timed_out", code: "timeout" };
const REDIRECT: Ending = { status: "failed", code: "redirect" };
const COMPLETED: Ending = { status: "completed", code: null };
const CUT: Ending = { status: "completed", code: null, truncated: true };

const ENDINGS: Record<Misdeed | "refuses", Ending> = {
  refuses: NETWORK,
  reset: NETWORK,
  "closed at once": NETWORK,
  "hangs before the headers": TIMEOUT,
  "hangs in the headers": TIMEOUT,
  "hangs in the body": CUT,
  "breaks off in the body": CUT,
  "endless body": CUT,
  "1 GB body": CUT,
  "compressed bomb": CUT,
  "compressed bomb that we inflate ourselves": CUT,
  "slow loris": TIMEOUT,
  "endless headers": NETWORK,
  "endless interim answers": TIMEOUT,
  "malformed HTTP": NETWORK,
  "redirect to a private address": REDIRECT,
  "redirect to itself": REDIRECT,
  "200 after the timeout": TIMEOUT,
  "200 while it is being cancelled": { status: "cancelled", code: null },
};

const MAX_HELD_MS = TIMEOUT_SECONDS * 1_000 + 1_000;
const KEPT_BYTES = 4_096;

/** What workerd may take for all of it together: its connections' buffers, far from what the targets pour out. */
const MAX_GROWTH_MB = 250;
/** What may be on its way in the buffers of a connection before it is let go. */
const MAX_POURED_MB = 16;

interface Attempt {
  readonly status: string;
  readonly started_at: string | null;
  readonly completed_at: string | null;
  readonly lateness_ms: number | null;
  readonly error: { readonly code: string } | null;
  readonly response: { readonly body: string; readonly headers: object; readonly truncated: boolean } | null;
}

export async function besetByTargets(service: Service, copies: number): Promise<Part> {
  const server = await HostileServer.listen();
  const refusing = `http://127.0.0.1:${await freePort(0)}`;
  const tenant = await PatientTenant.make(service, "hostile targets", 4);
  const before = memoryMb(service);
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, memoryMb(service));
  }, 100);
  const faults: string[] = [];
  const lateMs: number[] = [];
  let ended = 0;
  const cases = (Object.keys(ENDINGS) as (keyof typeof ENDINGS)[]).flatMap((kind) => Array(copies).fill(kind));
  await eachOf<keyof typeof ENDINGS, void>(cases, 30, async (kind) => {
    const url = kind === "refuses" ? `${refusing}/` : `${server.origin}/${encodeURIComponent(kind)}`;
    const { attempt, wasQuicker } = await oneAttempt(tenant, url, kind, server);
    if (!attempt) return void faults.push(`target ${kind}: the job has not ended`);
    ended += 1;
    lateMs.push(attempt.lateness_ms ?? 0);
    const wanted = wasQuicker ? COMPLETED : ENDINGS[kind];
    faults.push(...wrongs(attempt, wanted).map((wrong) => `target ${kind}: ${wrong} ${JSON.stringify(attempt)}`));
  });
  clearInterval(watch);
  const growth = Math.round(peak - before);
  if (growth > MAX_GROWTH_MB) faults.push(`targets: workerd grew by ${growth} MB`);
  const pouredMb = Math.round(server.bytesSent / 2 ** 20);
  if (pouredMb > MAX_POURED_MB * cases.length) faults.push(`targets: ${pouredMb} MB were taken from them`);
  for (const path of server.trespasses) faults.push(`a redirect was followed to ${path}`);
  const letGo = () => [...server.requests.values()].every(({ closedAt }) => closedAt !== null);
  if (!(await holdsWithin(5_000, letGo))) faults.push("a connection to a hostile target is still held");
  await server.close();
  const name = `${Object.keys(ENDINGS).length} hostile targets (+${growth} MB)`;
  const lost = cases.length - ended;
  const lateP99Ms = p99(lateMs);
  return {
    rows: [{ fault: name, jobs: cases.length, delivered: ended, lost, duplicated: 0, early: 0, lateP99Ms }],
    faults,
    secrets: tenant.secrets,
  };
}

/** The answer to a job that is being cancelled may come before the cancellation: then it counts. */
async function oneAttempt(
  tenant: PatientTenant,
  url: string,
  kind: keyof typeof ENDINGS,
  server: HostileServer,
): Promise<{ attempt: Attempt | undefined; wasQuicker: boolean }> {
  const made = await tenant.call<{ id: string }>("POST", "/v1/jobs", {
    name: kind,
    payload: { canary: "canary-payload" },
    delivery: { type: "push", http: { url, method: "POST", headers: { "x-canary": "canary-header" } } },
    timeout: TIMEOUT_SECONDS,
    max_retries: 0,
  });
  const { id } = made.body.data;
  let wasQuicker = false;
  if (kind === "200 while it is being cancelled") {
    await holdsWithin(10_000, () => server.answers.has(id));
    const cancelled = tenant.call("POST", `/v1/jobs/${id}/cancel`);
    server.answers.get(id)?.();
    wasQuicker = (await cancelled).status === 409;
  }
  let attempt: Attempt | undefined;
  const hasEnded = async () => {
    [attempt] = (await tenant.call<Attempt[]>("GET", `/v1/jobs/${id}/executions`)).body.data;
    return attempt?.completed_at != null;
  };
  await holdsWithin(MAX_HELD_MS + 10_000, hasEnded, 250);
  return { attempt: attempt?.completed_at == null ? undefined : attempt, wasQuicker };
}

function wrongs({ status, error, started_at, completed_at, response }: Attempt, wanted: Ending): string[] {
  const heldMs = Date.parse(completed_at ?? "") - Date.parse(started_at ?? "");
  const keptBytes = Buffer.byteLength(response?.body ?? "");
  return [
    ...(status === wanted.status ? [] : [`is ${status}, not ${wanted.status}`]),
    ...((error?.code ?? null) === wanted.code ? [] : [`with ${error?.code}, not ${wanted.code}`]),
    ...(heldMs <= MAX_HELD_MS ? [] : [`held its job for ${heldMs} ms`]),
    ...(keptBytes <= KEPT_BYTES ? [] : [`left ${keptBytes} bytes behind`]),
    ...(JSON.stringify(response?.headers ?? {}).length <= 2 * KEPT_BYTES ? [] : ["left too many headers behind"]),
    ...(wanted.truncated !== true || response?.truncated === true ? [] : ["is not marked as cut"]),
  ];
}

/** Resident memory of workerd. */
function memoryMb({ workerdPid }: Service): number {
  const status = readFileSync(`/proc/${workerdPid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}

// Hostile requests by the thousand: never a 500, never a hang, always the envelope; and what was accepted reads back as it
// was sent. The seed is printed and can be given: FAULTS_SEED, FAULTS_REQUESTS.

import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { childrenOf, compact } from "../../../src/domain/json-scan.ts";
import { STATUS_OF } from "../../../src/http/errors.ts";
import { type Account, newAccount } from "../../workerd/harness/account.ts";
import { type Answer, app, NO_RATE_LIMITS, ORIGIN, read, requestOf } from "../../workerd/harness/api.ts";
import { logs } from "../../workerd/harness/logs.ts";
import { Chance } from "../harness/chance.ts";
import { type HostileRequest, hostileRequest } from "./hostile/requests.ts";

const SEED = Number(env.FAULTS_SEED || Math.floor(Math.random() * 2 ** 31));
const REQUESTS = Number(env.FAULTS_REQUESTS || 1_500);
const ACCOUNTS = 5;
const AT_ONCE = 8;
/** By the machine's clock: no answer takes longer, however hostile the question. */
const LONGEST_MS = 10_000;

/** No limit to the rate, and a poll that finds nothing does not wait: an honest claim may take 20 s. */
const NOTHING_DUE = {
  getByName: () => ({ nominate: async () => [], dueTimes: async () => [], leave: async () => {} }),
};
const AROUND = {
  ...env,
  ...NO_RATE_LIMITS,
  PULL_QUEUES: NOTHING_DUE,
} as unknown as Cloudflare.Env;

type Resource = Record<string, unknown> & { id: string };

it(`${REQUESTS} hostile requests are answered as they deserve (seed ${SEED})`, { timeout: 400_000 }, async () => {
  const chance = new Chance(SEED);
  const accounts = await Promise.all(Array.from({ length: ACCOUNTS }, () => newAccount()));
  const known = new Map(accounts.map((account) => [account, [] as string[]]));
  const tally = new Map<number, number>();
  let accepted = 0;
  const one = async (): Promise<void> => {
    const account = chance.pick(accounts);
    const ids = known.get(account) ?? [];
    const request = hostileRequest(chance, ids.slice(-20));
    const words = `${request.method} ${request.path.slice(0, 200)} ${said(request)}`;
    const answer = await answered(request, account, words);
    expectEnvelope(answer, request, words);
    tally.set(answer.status, (tally.get(answer.status) ?? 0) + 1);
    if (answer.status !== 201) return;
    const made = answer.body.data as Resource;
    if (request.path === "/v1/jobs" || request.path === "/v1/schedules") {
      accepted += 1;
      ids.push(made.id);
      await expectReadBack(request, made, account, words);
    }
  };
  for (let left = REQUESTS; left > 0; left -= AT_ONCE)
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, left) }, one));
  expect(logs.of("request_fault")).toEqual([]);
  // Had they all been refused, or all accepted, this would have tried little.
  expect(accepted).toBeGreaterThan(REQUESTS / 100);
  for (const status of [200, 201, 400, 404, 413, 422]) expect([status, tally.has(status)]).toEqual([status, true]);
});

async function answered(request: HostileRequest, account: Account, words: string): Promise<Answer> {
  const startedAt = performance.now();
  const { method, path, body, headers } = request;
  const asked = requestOf(method, path, { key: account.key, headers, raw: body ?? undefined });
  const answer = await read(await app.fetch(asked, AROUND, createExecutionContext()));
  expect(performance.now() - startedAt, words).toBeLessThan(LONGEST_MS);
  return answer;
}

function expectEnvelope({ status, headers, body, text }: Answer, { method }: HostileRequest, words: string): void {
  expect(status, `${words} → ${text.slice(0, 300)}`).toBeLessThan(500);
  expect(headers.get("X-Request-Id"), words).toMatch(/^[0-9a-f-]{36}$/);
  if (method === "HEAD") return;
  expect(headers.get("Content-Type"), words).toMatch(/^application\/json/);
  expect(typeof body.message, words).toBe("string");
  expect(body.success, words).toBe(status < 300);
  if (status < 300) return;
  expect(STATUS_OF[body.code as keyof typeof STATUS_OF], `${words} → ${text.slice(0, 300)}`).toBe(status);
  expect(Array.isArray(body.errors), words).toBe(true);
  for (const error of body.errors)
    expect([typeof error.field, typeof error.message], words).toEqual(["string", "string"]);
}

/** What the answer and a later look say of it is what was asked for. */
async function expectReadBack(request: HostileRequest, made: Resource, account: Account, words: string): Promise<void> {
  const asked = requestOf("GET", `${request.path}/${made.id}`, { key: account.key });
  const look = await read<Resource>(await app.fetch(asked, AROUND, createExecutionContext()));
  const { waiting_on: _, ...shown } = look.body.data; // only this answer says what a job waits on
  expect(shown, words).toEqual(made);
  const text = typeof request.body === "string" ? request.body.replace(/^\ufeff/, "").toWellFormed() : "{}";
  const sent: Record<string, unknown> = JSON.parse(text);
  for (const [name, value] of Object.entries(sent)) {
    if (value === null || name === "delay" || name === "scheduled_for" || name === "stop_at") continue;
    if (name === "delivery") expectDelivery(value, made.delivery, words);
    else if (name === "payload") expect(look.text, words).toContain(`"payload":${compact(memberOf(text, name))},`);
    else expect(JSON.stringify(made[name]), `${name}: ${words}`).toBe(JSON.stringify(value));
  }
}

const memberOf = (json: string, name: string): string => json.slice(...(childrenOf(json).get(name) ?? [0, 0]));

function expectDelivery(sent: unknown, shown: unknown, words: string): void {
  const { type, http } = sent as { type: string; http?: { headers?: object } };
  if (type === "pull") expect(shown, words).toMatchObject({ type });
  else expect(shown, words).toEqual({ type, http: { ...http, headers: http?.headers ?? {} } });
}

function said({ body }: HostileRequest): string {
  return typeof body === "string" ? body.slice(0, 500) : `${ORIGIN}: bytes`;
}

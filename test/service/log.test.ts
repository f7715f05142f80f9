// What the server prints (CHRONOS_LOG=json): one line for each request and one for each execution, and nothing that
// anybody sent or must keep to himself.

import { afterAll, beforeAll, expect, it } from "vitest";
import { Receiver } from "../harness/receiver.ts";
import type { Service } from "../harness/service.ts";
import { sharedService } from "../harness/shared.ts";
import type { Answer } from "../harness/tenant.ts";
import { until } from "../harness/until.ts";

let service: Service;
let receiver: Receiver;
beforeAll(async () => {
  [service, receiver] = await Promise.all([sharedService(), Receiver.listen()]);
});
afterAll(() => receiver?.close());

interface Line {
  readonly event: string;
  readonly [field: string]: unknown;
}

const CANARY = "canary-4711";

/** The Worker's own lines; what the start banner says to its owner is not among them. */
const lines = (): Line[] =>
  service.log
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));

it("has one line for each request and each execution, and no word of what they carried", async () => {
  const tenant = await service.newTenant(CANARY);
  const answers: Answer<unknown>[] = [];
  const call = async <T>(method: string, path: string, body?: unknown) => {
    const answer = await tenant.call<T>(method, path, body);
    answers.push(answer);
    return answer.body.data;
  };
  const canary = { text: CANARY };
  const create = (body: object) => call<{ id: string }>("POST", "/v1/jobs", { name: CANARY, payload: canary, ...body });
  const target = receiver.target((response) => response.writeHead(500, { "X-Answer": CANARY }).end(CANARY), 200);

  const pushed = await create({ ...target.delivery("POST", { "X-Canary": CANARY }), idempotency_key: CANARY });
  await create({ idempotency_key: CANARY, handler: CANARY });
  await create({ [CANARY]: CANARY });
  await create({ delivery: { type: "push", http: { url: `http://${CANARY}`, method: CANARY } } });
  await call("GET", `/v1/jobs?handler=${CANARY}&idempotency_key=${CANARY}`);
  await call("POST", "/v1/schedules", { name: CANARY, handler: CANARY, cron: "0 9 * * *", payload: canary });
  const rotated = await call<{ signing_secret: string }>("POST", "/v1/signing-secret/rotate", {});
  const { key } = await call<{ key: string }>("POST", "/v1/api-keys", { name: CANARY });

  const pulled = await create({ handler: CANARY });
  const claimed = await tenant.mustClaim(CANARY);
  const failure = { error: { message: CANARY, name: CANARY } };
  answers.push(await tenant.say("fail", claimed, { ...failure, retryable: true }));
  answers.push(await tenant.say("heartbeat", claimed));
  answers.push(await tenant.say("complete", await tenant.mustClaim(CANARY), { result: canary }));
  await target.receives(2);
  await tenant.whenIt("completed", pushed.id);

  const requestIds = answers.map(({ headers }) => headers.get("X-Request-Id"));
  const executions = [...(await tenant.executions(pushed.id)), ...(await tenant.executions(pulled.id))];
  const written = () => JSON.stringify(lines()).includes(requestIds.at(-1) ?? "") && executions.every(isWritten);
  const isWritten = ({ id }: { id: string }) => lines().some((line) => line.execution_id === id);
  await until(written, 15_000, () => "The log lacks the last request or an execution");

  const requests = lines().filter(({ event }) => event === "request");
  expect(requestIds.map((id) => requests.filter((line) => line.request_id === id).length)).toEqual(
    answers.map(() => 1),
  );
  expect(requests.find((line) => line.request_id === requestIds[0])).toEqual({
    level: "info",
    event: "request",
    request_id: requestIds[0],
    method: "POST",
    path: "/v1/jobs",
    status: 201,
    duration_ms: expect.any(Number),
    account_id: tenant.id,
  });
  const ended = lines().filter(({ event }) => event === "execution");
  expect(executions.map(({ id }) => ended.filter((line) => line.execution_id === id).length)).toEqual([1, 1, 1, 1]);
  expect(ended.find((line) => line.execution_id === executions[0]?.id)).toEqual({
    level: "info",
    event: "execution",
    account_id: tenant.id,
    job_id: pushed.id,
    execution_id: executions[0]?.id,
    attempt: 1,
    outcome: "failed",
    http_status: 500,
    error_code: "http_status",
    host: new URL(target.url).host,
    reason: "The target answered 500.",
    lateness_ms: executions[0]?.lateness_ms,
    duration_ms: expect.any(Number),
    job_status: "waiting",
    next_run_at: expect.any(Number),
  });

  for (const secret of [CANARY, tenant.apiKey, tenant.signingSecret, key, rotated.signing_secret])
    expect(service.log.includes(secret)).toBe(false);
});

it("says nothing twice, and nobody's keys or secrets, whatever the other tests do", async () => {
  const all = lines();
  for (const [event, id] of [
    ["request", "request_id"],
    ["execution", "execution_id"],
  ] as const) {
    const ids = all.filter((line) => line.event === event).map((line) => line[id]);
    expect(new Set(ids).size).toBe(ids.length);
  }
  const said = JSON.stringify(all);
  expect(said).not.toMatch(/chrns_[\w-]{20}|whsec_[\w+/]{20}|adm_[\w-]{20}/);
  expect(all.filter(({ level }) => level === "error")).toEqual([]);
});

it("says of a host without an address what the execution says, without a stack of the runtime", async () => {
  const tenant = await service.newTenant();
  const http = { url: "http://no-such-host.invalid/", method: "POST" };
  const { id } = await tenant.create({ delivery: { type: "push", http }, max_retries: 0 });
  await tenant.whenIt("failed", id);
  const isWritten = () => lines().some((line) => line.event === "execution" && line.job_id === id);
  await until(isWritten, 15_000, () => "The log lacks the execution");
  expect(service.log).not.toContain("failed to lookup address");
});

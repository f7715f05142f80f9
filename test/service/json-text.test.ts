// Payload and result over the wire: the characters that were sent are those that a target receives, a worker is given, and
// every answer shows. test/workerd/json-text.test.ts has the whole table; this is the running service.

import { afterAll, beforeAll, expect, it } from "vitest";
import { Receiver } from "../harness/receiver.ts";
import type { Service } from "../harness/service.ts";
import { sharedService } from "../harness/shared.ts";
import type { Tenant } from "../harness/tenant.ts";
import { until } from "../harness/until.ts";

let service: Service;
let receiver: Receiver;
beforeAll(async () => {
  [service, receiver] = await Promise.all([sharedService(), Receiver.listen()]);
});
afterAll(() => receiver?.close());

const NUMBERS = '"id":12345678901234567890,"price":1.0,"huge":1e400,"zero":-0,"id":9007199254740993';
const ORDER = '"10":"ten","9":"nine"';
const TEXTS = '"text":"\\u0041\\/ é \\ud83d\\ude00 \\"}]","deep":[[{"a":[]}],{}]';
const TIGHT = `{${NUMBERS},${ORDER},${TEXTS}}`;
const SENT = `{\n  ${NUMBERS.replaceAll(",", ",\n  ")},\n\t${ORDER} , ${TEXTS} \r\n}`;

const PAYLOAD = `"payload":${TIGHT},`;

/** The answer as it came over the wire; it must be a success. */
async function asked(tenant: Tenant, method: string, path: string, body: string | null = null): Promise<string> {
  const headers = { Authorization: `Bearer ${tenant.apiKey}`, "Content-Type": "application/json" };
  const response = await fetch(tenant.url + path, { method, headers, body });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text;
}

const idIn = (answer: string, name = "id"): string => JSON.parse(answer).data[name];

const pushTo = (url: string) => JSON.stringify({ type: "push", http: { url, method: "POST" } });

it.concurrent("a payload is pushed, and shown before and after, as it was sent", async () => {
  const tenant = await service.newTenant();
  const target = receiver.target();
  const made = await asked(
    tenant,
    "POST",
    "/v1/jobs",
    `{"name":"n","delivery":${pushTo(target.url)},"payload":${SENT}}`,
  );
  expect(made).toContain(PAYLOAD);
  expect((await target.receives()).body.endsWith(`"payload":${TIGHT}}`)).toBe(true);
  await tenant.whenIt("completed", idIn(made));
  for (const path of [`/v1/jobs/${idIn(made)}`, "/v1/jobs"])
    expect(await asked(tenant, "GET", path)).toContain(PAYLOAD);
});

it.concurrent("payload and result of a pulled job, claimed at once or in a long poll, are shown as they were sent", async () => {
  const tenant = await service.newTenant();
  const poll = (seconds: number) =>
    asked(tenant, "POST", "/v1/worker/jobs/claim", `{"handlers":["h"],"wait_time_seconds":${seconds}}`);
  const create = () => asked(tenant, "POST", "/v1/jobs", `{"name":"n","handler":"h","payload":${SENT}}`);

  const waiting = poll(20);
  await create();
  const late = await waiting;
  await create();
  let atOnce = "";
  const isClaimed = async () => {
    atOnce = await poll(0);
    return atOnce.includes("execution_id");
  };
  await until(isClaimed, 10_000, () => "No poll finds the second job", 50);
  for (const claimed of [late, atOnce]) {
    expect(claimed).toContain(PAYLOAD);
    const [id, execution] = [idIn(claimed, "job_id"), idIn(claimed, "execution_id")];
    const report = `{"execution_id":"${execution}","result":${SENT}}`;
    const result = `"result":${TIGHT},`;
    expect(await asked(tenant, "POST", `/v1/worker/jobs/${id}/complete`, report)).toContain(result);
    for (const path of [`/v1/jobs/${id}`, `/v1/jobs/${id}/executions`])
      expect(await asked(tenant, "GET", path)).toContain(result);
    const isListed = async () => (await asked(tenant, "GET", "/v1/jobs?status=completed")).includes(`"id":"${id}"`);
    await until(isListed, 30_000, () => "The list does not show it", 500);
    expect(await asked(tenant, "GET", "/v1/jobs?status=completed")).toContain(result);
  }
});

it.concurrent("a schedule's payload goes with each of its ticks as it was sent", async () => {
  const tenant = await service.newTenant();
  const target = receiver.target();
  const schedule = `{"name":"n","interval":{"value":1,"unit":"second"},"runs":2,"delivery":${pushTo(target.url)},"payload":${SENT}}`;
  expect(await asked(tenant, "POST", "/v1/schedules", schedule)).toContain(PAYLOAD);
  await target.receives(2);
  for (const { body } of target.deliveries) expect(body.endsWith(`"payload":${TIGHT}}`)).toBe(true);
  expect(await asked(tenant, "GET", "/v1/schedules")).toContain(PAYLOAD);
});

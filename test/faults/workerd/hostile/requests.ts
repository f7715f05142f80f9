// Hostile requests, made from honest ones: a field gone wrong, the text garbled, the wrong type, charset or size, and ids
// and queries of every kind.

import type { Chance } from "../../harness/chance.ts";
import { garbled, hostilePiece, hostileText } from "./values.ts";

export interface HostileRequest {
  readonly method: string;
  readonly path: string;
  readonly body: string | Uint8Array | ReadableStream<Uint8Array> | null;
  readonly headers: Record<string, string>;
}

type Fields = Record<string, string>;

/** Honest bodies, their fields as JSON texts. */
const PUSH = '{"type":"push","http":{"url":"https://hooks.example.com/x","method":"POST","headers":{"x-own":"1"}}}';
const BODIES: Record<string, Fields> = {
  "POST /v1/jobs": {
    name: '"a job"',
    handler: '"work"',
    payload: '{"to":"ada"}',
    delay: '{"value":1,"unit":"hour"}',
    idempotency_key: '"a key"',
    delivery: PUSH,
    timeout: "30",
    max_retries: "3",
  },
  "POST /v1/schedules": {
    name: '"ticks"',
    description: '"x"',
    interval: '{"value":1,"unit":"hour"}',
    timezone: '"Europe/London"',
    runs: "3",
    stop_at: '"2031-01-01T00:00:00Z"',
    delivery: PUSH,
    payload: '{"a":1}',
    timeout: "30",
    max_retries: "3",
  },
  "POST /v1/schedules/preview": { cron: '"0 9 * * MON"', timezone: '"Europe/London"', count: "3" },
  "PATCH /v1/schedules/:id": { name: '"ticks"', cron: '"*/5 * * * *"', payload: "null" },
  "POST /v1/worker/jobs/claim": { handlers: '["work"]', wait_time_seconds: "0", worker_id: '"w"' },
  "POST /v1/worker/jobs/:id/start": { execution_id: '"00000000-0000-4000-8000-000000000000"', worker_id: '"w"' },
  "POST /v1/worker/jobs/:id/complete": { execution_id: '"00000000-0000-4000-8000-000000000000"', result: '{"a":1}' },
  "POST /v1/worker/jobs/:id/fail": {
    execution_id: '"00000000-0000-4000-8000-000000000000"',
    error: '{"message":"no"}',
    retryable: "true",
  },
  "POST /v1/worker/jobs/:id/heartbeat": {
    execution_id: '"00000000-0000-4000-8000-000000000000"',
    progress: '{"done":1}',
  },
  "POST /v1/api-keys": { name: '"a key"', scope: '"read"', expires_at: '"2031-01-01T00:00:00Z"' },
  "POST /v1/signing-secret/rotate": { overlap_hours: "24" },
  "POST /v1/jobs/:id/cancel": {},
  "POST /v1/jobs/:id/retry": {},
  "POST /v1/schedules/:id/archive": {},
};
const READS = [
  "/v1/jobs",
  "/v1/jobs/:id",
  "/v1/jobs/:id/executions",
  "/v1/schedules",
  "/v1/schedules/:id",
  "/v1/api-keys",
  "/v1/overview",
];
const PARAMETERS = [
  "page",
  "size",
  "cursor",
  "status",
  "handler",
  "schedule_id",
  "idempotency_key",
  "created_after",
  "x",
];
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "PROPFIND"];
const JSON_TYPE = "application/json";
const TYPES = ["text/plain", "application/xml", "application/json; charset=utf-16", "application/json;charset=latin1"];

/** @param ids of jobs and schedules there are: some requests name one of them */
export function hostileRequest(chance: Chance, ids: readonly string[]): HostileRequest {
  const id = chance.happens(50) && ids.length > 0 ? chance.pick(ids) : hostilePiece(chance);
  if (chance.happens(20)) return read(chance, id);
  const entry = chance.happens(50) ? "POST /v1/jobs" : chance.pick(Object.keys(BODIES));
  const [route = "", fields = {}] = [entry, BODIES[entry]];
  const [method = "", path = ""] = route.split(" ");
  const wrongMethod = chance.happens(2) ? chance.pick(METHODS) : method;
  const { body, type } = hostileBody(chance, fields);
  const bodiless = wrongMethod === "GET" || wrongMethod === "HEAD";
  return {
    method: wrongMethod,
    path: path.replace(":id", id),
    body: bodiless ? null : body,
    headers: bodiless ? {} : { "Content-Type": type },
  };
}

function read(chance: Chance, id: string): HostileRequest {
  const query = Array.from(
    { length: chance.between(0, 3) },
    () => `${chance.pick(PARAMETERS)}=${hostilePiece(chance).replaceAll("#", "")}`,
  ).join("&");
  return { method: "GET", path: `${chance.pick(READS).replace(":id", id)}?${query}`, body: null, headers: {} };
}

function hostileBody(chance: Chance, honest: Fields): Pick<HostileRequest, "body"> & { type: string } {
  const fields = Object.entries(honest).filter(() => chance.happens(85));
  for (let wrong = chance.between(0, 2); wrong > 0 && fields.length > 0; wrong--) {
    const at = chance.between(0, fields.length - 1);
    const [name = ""] = fields[at] ?? [];
    fields[at] = [chance.happens(90) ? name : chance.pick(["__proto__", "constructor", "x", ""]), hostileText(chance)];
  }
  if (chance.happens(5)) fields.push(...fields.slice(0, 1)); // a duplicate key
  const text = `{${fields.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join()}}`;
  const kind = chance.between(0, 199);
  if (kind === 0) return { body: "x".repeat(10_000_000), type: JSON_TYPE };
  if (kind === 1) return { body: endless(), type: JSON_TYPE };
  if (kind === 2) return { body: Uint8Array.from([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]), type: JSON_TYPE };
  if (kind < 8) return { body: text, type: chance.pick(TYPES) };
  if (kind < 12) return { body: chance.pick(["", " ", "null", "[]", "1", '"x"', "{", "\ufeff{}"]), type: JSON_TYPE };
  if (kind < 30) return { body: garbled(text, chance), type: JSON_TYPE };
  return { body: text, type: JSON_TYPE };
}

/** A body that would be 10 MB and does not say so. */
function endless(): ReadableStream<Uint8Array> {
  let left = 160;
  return new ReadableStream({
    pull(controller) {
      if (left-- > 0) controller.enqueue(new Uint8Array(65_536).fill(0x20));
      else controller.close();
    },
  });
}

// An account's API keys (contract §7).

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { type Account, newAccount } from "./harness/account.ts";
import { anAddress, api } from "./harness/api.ts";
import { advance, DAY, HOUR, iso, MINUTE, NOON, setClock } from "./harness/clock.ts";
import { answerLost, databaseDown, LOST } from "./harness/database.ts";

interface KeyJson {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly scope: string;
  readonly expires_at: string | null;
  readonly created_at: string;
  readonly key?: string;
}

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

const list = (query = "") => api<KeyJson[]>("GET", `/v1/api-keys${query}`, { key: account.key });
const make = (name: unknown = "ci", more: object = {}, { key }: { key: string | undefined } = account) =>
  api<KeyJson>("POST", "/v1/api-keys", { key, body: { name, ...more } });
const drop = (id: string, by = account) => api("DELETE", `/v1/api-keys/${id}`, { key: by.key });

it("a key is shown once, when it is made, and works from then on", async () => {
  const { status, body } = await make();
  expect(status).toBe(201);
  expect(body.data).toEqual({
    id: expect.any(String),
    name: "ci",
    prefix: body.data.key?.slice(0, 12),
    scope: "full",
    expires_at: null,
    created_at: iso(NOON),
    key: expect.stringMatching(/^chrns_[A-Za-z0-9_-]{43}$/),
  });
  expect((await api("GET", "/v1/jobs", { key: body.data.key })).status).toBe(200);
  expect((await list()).text).not.toContain(body.data.key);
});

it("the list tells keys apart by name and prefix, oldest first, in pages", async () => {
  advance(1);
  const { body: made } = await make("second");
  const { body } = await list();
  expect(body.data.map(({ name }) => name)).toEqual(["first", "second"]);
  expect(Object.keys(body.data[0] ?? {})).toEqual(["id", "name", "prefix", "scope", "expires_at", "created_at"]);
  expect(body.meta.paging).toEqual({ page: 1, pages: 1, size: 20, total: 2 });
  const { body: second } = await list("?page=2&size=1");
  expect(second.data.map(({ id }) => id)).toEqual([made.data.id]);
  expect(second.meta.paging).toEqual({ page: 2, pages: 2, size: 1, total: 2 });
});

it("a deleted key is refused at once", async () => {
  const { body } = await make();
  expect((await api("GET", "/v1/jobs", { key: body.data.key })).status).toBe(200);
  expect((await drop(body.data.id)).status).toBe(200);
  expect((await api("GET", "/v1/jobs", { key: body.data.key })).status).toBe(401);
  expect((await drop(body.data.id)).status).toBe(404);
});

it("scope and expiry are shown when the key is made, and in the list", async () => {
  const expires_at = iso(NOON + HOUR);
  advance(1);
  const { status, body } = await make("worker", { scope: "worker", expires_at: "2030-01-01T15:00:00+02:00" });
  expect([status, body.data]).toMatchObject([201, { scope: "worker", expires_at }]);
  expect((await list()).body.data).toMatchObject([
    { name: "first", scope: "full", expires_at: null },
    { name: "worker", scope: "worker", expires_at },
  ]);
});

it("null stands for a key of the scope `full` that does not expire", async () => {
  expect((await make("a", { scope: null, expires_at: null })).body.data).toMatchObject({
    scope: "full",
    expires_at: null,
  });
});

it.each([
  ["scope", { scope: "admin" }],
  ["scope", { scope: ["read"] }],
  ["expires_at", { expires_at: iso(NOON) }],
  ["expires_at", { expires_at: iso(NOON - HOUR) }],
  ["expires_at", { expires_at: "2031-01-01T00:00:00" }],
  ["expires_at", { expires_at: NOON + HOUR }],
])("422 on %s for %j, and no key is made", async (field, more) => {
  const { status, body } = await make("a", more);
  expect([status, body.errors.map((error) => error.field)]).toEqual([422, [field]]);
  expect((await list()).body.data).toHaveLength(1);
});

it("the last key of the scope `full` that does not expire stays, whatever others there are: 409 conflict", async () => {
  const [first] = (await list()).body.data; // the only one so far
  for (const scope of ["read", "create", "worker"]) await make(scope, { scope });
  await make("for an hour", { expires_at: iso(NOON + HOUR) });
  const { status, body: refused } = await drop(first?.id ?? "");
  expect([status, refused.code]).toEqual([409, "conflict"]);
  expect((await list()).body.data).toHaveLength(5);
  await make("another");
  expect((await drop(first?.id ?? "")).status).toBe(200);
});

it("limited and expiring keys can all be deleted", async () => {
  for (const scope of ["read", "create", "worker"]) await make(scope, { scope });
  await make("for an hour", { expires_at: iso(NOON + HOUR) });
  const others = (await list()).body.data.filter(({ name }) => name !== "first");
  for (const { id } of others) expect((await drop(id)).status).toBe(200);
  expect((await list()).body.data).toHaveLength(1);
});

describe("a key that expires", () => {
  const AT = NOON + 30 * MINUTE;
  const UNKNOWN = `chrns_${"A".repeat(43)}`;
  const expiring = async () => (await make("expiring", { expires_at: iso(AT) })).body.data.key;
  /** A call that needs nothing of the database but the key. */
  const claim = (key: string | undefined) =>
    api("POST", "/v1/worker/jobs/claim", { key, body: { handlers: ["h"], wait_time_seconds: 0 } });
  const told = ({ status, body, headers }: Awaited<ReturnType<typeof claim>>) => [
    status,
    body,
    headers.get("WWW-Authenticate"),
  ];

  it("opens everything a millisecond before, and from that moment on it is refused as one that nobody holds", async () => {
    const [used, unused] = [await expiring(), await expiring()];
    setClock(AT - 1);
    expect((await claim(used)).status).toBe(200);
    setClock(AT);
    const unknown = told(await claim(UNKNOWN));
    expect(unknown[0]).toBe(401);
    expect(told(await claim(used))).toEqual(unknown);
    expect(told(await claim(unused))).toEqual(unknown);
    setClock(AT + DAY);
    expect(told(await claim(used))).toEqual(unknown);
  });

  it("does so from memory while the database is down, too", async () => {
    const key = await expiring();
    expect((await claim(key)).status).toBe(200);
    databaseDown();
    setClock(AT - 1);
    expect((await claim(key)).status).toBe(200);
    setClock(AT);
    expect((await claim(key)).status).toBe(401);
  });

  it("and within the minute for which it is remembered", async () => {
    const key = await expiring();
    setClock(AT - 1);
    await claim(key);
    databaseDown();
    setClock(AT);
    expect((await claim(key)).status).toBe(401);
  });

  it("counts as a guess once it has expired, as any that nobody holds", async () => {
    const key = await expiring();
    await claim(key);
    setClock(AT);
    const headers = { "CF-Connecting-IP": anAddress() };
    const status = async () => (await api("GET", "/v1/jobs", { key, headers })).status;
    for (let n = 0; n < 30; n++) expect(await status()).toBe(401);
    expect(await status()).toBe(429);
  });

  it("creates keys that expire no later, and none that outlasts it", async () => {
    const key = await expiring();
    const create = (expires_at: string | null) => make("child", { expires_at }, { key });
    for (const later of [null, iso(AT + 1)]) {
      const { status, body } = await create(later);
      expect([status, body.errors.map(({ field }) => field)]).toEqual([422, ["expires_at"]]);
      expect(body.errors[0]?.message).toContain(iso(AT));
    }
    expect((await create(iso(AT))).status).toBe(201);
    expect((await list()).body.data).toHaveLength(3);
  });

  it("stays in the list until another is created, and leaves its place to that", async () => {
    for (let n = 0; n < 49; n++) await make("brief", { expires_at: iso(AT) });
    expect((await make()).status).toBe(409);
    setClock(AT);
    expect((await list()).body.meta.paging.total).toBe(50);
    expect((await make("next")).status).toBe(201);
    expect((await list()).body.data.map(({ name }) => name)).toEqual(["first", "next"]);
  });
});

it("of two that delete the last two keys at once, one is refused", async () => {
  const { body: made } = await make();
  const { body } = await list();
  const answers = await Promise.all(body.data.map(({ id }) => drop(id)));
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  const left = (await env.DB.prepare("SELECT id FROM api_keys WHERE account_id = ?").bind(account.id).all()).results;
  expect(left).toHaveLength(1);
  const opening = await Promise.all([account.key, made.data.key].map((key) => api("GET", "/v1/jobs", { key })));
  expect(opening.map(({ status }) => status).sort()).toEqual([200, 401]);
});

it("a deletion whose first answer is lost has deleted the key, and says so", async () => {
  const { body } = await make();
  const { id, key } = body.data;
  expect((await api("GET", "/v1/jobs", { key })).status).toBe(200);
  const lost = answerLost('delete from "api_keys"', LOST);
  const dropped = await drop(id);
  lost.end();
  expect(dropped.status).toBe(200);
  expect((await api("GET", "/v1/jobs", { key })).status, "known to nobody").toBe(401);
  expect((await drop(id)).status, "once more").toBe(404);
});

it("an account has at most 50 keys, however many ask at once", async () => {
  const answers = await Promise.all(Array.from({ length: 60 }, () => make()));
  const refused = answers.filter(({ status }) => status !== 201);
  expect(refused.map(({ status, body }) => [status, body.code])).toEqual(Array(11).fill([409, "conflict"]));
  expect((await list()).body.meta.paging.total).toBe(50);
  const made = answers.find(({ status }) => status === 201);
  await drop(made?.body.data.id ?? "");
  expect((await make()).status).toBe(201);
});

it.each([undefined, null, "", "x".repeat(256), 1])("a key's name may not be %s", async (name) => {
  const { status, body } = await api("POST", "/v1/api-keys", { key: account.key, body: { name } });
  expect([status, body.errors.map(({ field }) => field)]).toEqual([422, ["name"]]);
});

it("an unknown field, an unknown parameter and an id that is no UUID are 422", async () => {
  const { key } = account;
  expect((await api("POST", "/v1/api-keys", { key, body: { name: "x", colour: "red" } })).body.errors[0]?.field).toBe(
    "colour",
  );
  expect((await list("?cursor=x")).body.errors[0]?.field).toBe("cursor");
  expect((await drop("not-a-uuid")).body.errors[0]?.field).toBe("id");
});

it("another account's key is not there: 404, and it goes on working", async () => {
  const other = await newAccount();
  const { body } = await api<KeyJson>("POST", "/v1/api-keys", { key: other.key, body: { name: "theirs" } });
  expect((await drop(body.data.id)).body).toEqual((await drop(crypto.randomUUID())).body);
  expect((await api("GET", "/v1/jobs", { key: body.data.key })).status).toBe(200);
  expect((await list()).body.data).toHaveLength(1);
});

// An account's API keys (contract §7).

import { env } from "cloudflare:workers";
import { beforeEach, expect, it } from "vitest";
import { type Account, newAccount } from "./harness/account.ts";
import { api } from "./harness/api.ts";
import { advance, iso, NOON } from "./harness/clock.ts";

interface KeyJson {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly created_at: string;
  readonly key?: string;
}

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

const list = (query = "") => api<KeyJson[]>("GET", `/v1/api-keys${query}`, { key: account.key });
const make = (name: unknown = "ci") => api<KeyJson>("POST", "/v1/api-keys", { key: account.key, body: { name } });
const drop = (id: string, by = account) => api("DELETE", `/v1/api-keys/${id}`, { key: by.key });

it("a key is shown once, when it is made, and works from then on", async () => {
  const { status, body } = await make();
  expect(status).toBe(201);
  expect(body.data).toEqual({
    id: expect.any(String),
    name: "ci",
    prefix: body.data.key?.slice(0, 12),
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
  expect(Object.keys(body.data[0] ?? {})).toEqual(["id", "name", "prefix", "created_at"]);
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

it("the last key stays: 409 conflict", async () => {
  const { body } = await list();
  const { status, body: refused } = await drop(body.data[0]?.id ?? "");
  expect([status, refused.code]).toEqual([409, "conflict"]);
  expect((await list()).status).toBe(200);
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
  expect((await api("POST", "/v1/api-keys", { key, body: { name: "x", scope: "read" } })).body.errors[0]?.field).toBe(
    "scope",
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

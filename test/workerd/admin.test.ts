// The operator's accounts (contract §7).

import { env } from "cloudflare:workers";
import { beforeEach, expect, it } from "vitest";
import { newAccount, remove, resume, suspend } from "./harness/account.ts";
import { ADMIN, api } from "./harness/api.ts";
import { advance, iso, NOON } from "./harness/clock.ts";
import { answerLost, LOST } from "./harness/database.ts";

interface AccountJson {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly created_at: string;
}

beforeEach(async () => {
  await env.DB.prepare("DELETE FROM accounts").run();
});

const list = async (query = "") => (await api<AccountJson[]>("GET", `/v1/admin/accounts${query}`, { key: ADMIN })).body;
const make = (body: unknown) => api<AccountJson>("POST", "/v1/admin/accounts", { key: ADMIN, body });

it("an account is made with a first key, which opens it, and its signing secret", async () => {
  const { status, body } = await make({ name: "Acme" });
  expect(status).toBe(201);
  expect(body.data).toEqual({
    id: expect.any(String),
    name: "Acme",
    status: "active",
    database: 0,
    moving_to: null,
    created_at: iso(NOON),
    api_key: expect.stringMatching(/^chrns_/),
    signing_secret: expect.stringMatching(/^whsec_/),
  });
});

it("accounts are listed oldest first, in pages, without keys or secrets", async () => {
  const one = await newAccount("one");
  advance(1);
  const two = await newAccount("two");
  const { data, meta } = await list();
  expect(data).toEqual([
    { id: one.id, name: "one", status: "active", database: 0, moving_to: null, created_at: iso(NOON) },
    { id: two.id, name: "two", status: "active", database: 0, moving_to: null, created_at: iso(NOON + 1) },
  ]);
  expect(meta.paging).toEqual({ page: 1, pages: 1, size: 20, total: 2 });
  const second = await list("?page=2&size=1");
  expect(second.data.map(({ id }) => id)).toEqual([two.id]);
});

it("an account is suspended and resumed, and both may be said twice", async () => {
  const account = await newAccount();
  for (const [change, status] of [
    [suspend, "suspended"],
    [suspend, "suspended"],
    [resume, "active"],
    [resume, "active"],
  ] as const) {
    expect((await change(account)).body.data).toMatchObject({ id: account.id, status });
    expect((await list()).data).toMatchObject([{ status }]);
  }
});

it("a deleted account is gone for every call: 404", async () => {
  const account = await newAccount();
  expect((await remove(account)).status).toBe(200);
  for (const again of [remove, suspend, resume]) {
    const { status, body } = await again(account);
    expect([status, body.code]).toEqual([404, "not_found"]);
  }
  expect((await list()).data).toEqual([]);
});

it("a deleted account's keys are gone from the database", async () => {
  const account = await newAccount();
  await remove(account);
  const held = await env.DB.prepare("SELECT count(*) AS n FROM api_keys WHERE account_id = ?").bind(account.id).first();
  expect(held).toEqual({ n: 0 });
});

it.each([{}, { name: "" }, { name: null }, { name: "x".repeat(256) }, { name: 1 }])(
  "an account is not made of %j: 422 on name",
  async (body) => {
    const answer = await make(body);
    expect([answer.status, answer.body.errors.map(({ field }) => field)]).toEqual([422, ["name"]]);
  },
);

it("unknown fields, unknown parameters and ids that are no UUIDs are 422", async () => {
  expect((await make({ name: "x", plan: "free" })).body.errors[0]?.field).toBe("plan");
  expect((await list("?status=active")).errors[0]?.field).toBe("status");
  const { status, body } = await api("DELETE", "/v1/admin/accounts/nobody", { key: ADMIN });
  expect([status, body.errors[0]?.field]).toEqual([422, "id"]);
});

it("without a master key no account is made: 503", async () => {
  const { status } = await api("POST", "/v1/admin/accounts", {
    key: ADMIN,
    body: { name: "x" },
    env: { MASTER_KEY: undefined },
  });
  expect(status).toBe(503);
  expect((await list()).data).toEqual([]);
});

it("a deletion whose first answer is lost has deleted the account, and says so", async () => {
  const account = await newAccount();
  const lost = answerLost('update "accounts"', LOST);
  const removed = await remove(account);
  lost.end();
  expect(removed.status).toBe(200);
  expect((await remove(account)).status, "once more").toBe(404);
});

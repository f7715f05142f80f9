// Who may call (contract §1): every key that opens nothing is told the same.

import { env, exports } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { newAccount, remove, removeElsewhere, resume, suspend } from "./harness/account.ts";
import { ADMIN, anAddress, api, type Call, must, read, requestOf } from "./harness/api.ts";
import { advance, MINUTE } from "./harness/clock.ts";
import { logs } from "./harness/logs.ts";

const ROUTES = [
  ["GET", "/v1/jobs"],
  ["POST", "/v1/jobs"],
  ["GET", "/v1/jobs/not-a-uuid"],
  ["GET", "/v1/jobs/not-a-uuid/executions"],
  ["POST", "/v1/jobs/not-a-uuid/cancel"],
  ["POST", "/v1/jobs/not-a-uuid/retry"],
  ["POST", "/v1/worker/jobs/claim"],
  ["POST", "/v1/worker/jobs/not-a-uuid/start"],
  ["POST", "/v1/worker/jobs/not-a-uuid/complete"],
  ["POST", "/v1/worker/jobs/not-a-uuid/fail"],
  ["POST", "/v1/worker/jobs/not-a-uuid/heartbeat"],
  ["GET", "/v1/api-keys"],
  ["POST", "/v1/api-keys"],
  ["DELETE", "/v1/api-keys/not-a-uuid"],
  ["GET", "/v1/signing-secret"],
  ["POST", "/v1/signing-secret/rotate"],
  ["GET", "/v1/overview"],
  ["GET", "/v1/metrics"],
] as const;

const OPERATOR_ROUTES = [
  ["GET", "/v1/admin/accounts"],
  ["POST", "/v1/admin/accounts"],
  ["POST", "/v1/admin/accounts/not-a-uuid/suspend"],
  ["POST", "/v1/admin/accounts/not-a-uuid/resume"],
  ["DELETE", "/v1/admin/accounts/not-a-uuid"],
] as const;

const NEVER = { limit: async () => ({ success: false }) };
const UNKNOWN_KEY = `chrns_${"A".repeat(43)}`;

const told = ({ status, headers, body }: Awaited<ReturnType<typeof api>>) => ({
  status,
  body,
  challenge: headers.get("WWW-Authenticate"),
});

describe("a key that opens nothing is refused with 401 unauthorized", () => {
  it.each(ROUTES)("on %s %s", async (method, path) => {
    const answer = await api(method, path, { key: UNKNOWN_KEY });
    expect([answer.status, answer.body.code, answer.body.errors]).toEqual([401, "unauthorized", []]);
  });

  it("and in the same words, whatever is wrong with it", async () => {
    const [account, gone] = [await newAccount(), await newAccount()];
    const second = await must(
      api<{ id: string; key: string }>("POST", "/v1/api-keys", { key: account.key, body: { name: "second" } }),
    );
    await api("DELETE", `/v1/api-keys/${second.id}`, { key: account.key });
    await remove(gone);
    const answers = await Promise.all(
      [
        undefined,
        "",
        "Bearer",
        "Bearer ",
        "Basic dXNlcjp3b3Jk",
        account.key,
        "Bearer chrns_",
        "Bearer sk_live_123",
        `Bearer ${account.key}x`,
        `Bearer ${account.key.slice(0, -1)}`,
        `Bearer ${account.key} ${account.key}`,
        `Bearer ${account.key}, Bearer ${account.key}`,
        `Bearer ${account.key.toUpperCase()}`,
        `Bearer ${UNKNOWN_KEY}`,
        `Bearer ${ADMIN}`,
        `Bearer ${second.key}`,
        `Bearer ${gone.key}`,
      ].map((value) => api("GET", "/v1/jobs", { headers: value === undefined ? {} : { Authorization: value } })),
    );
    for (const answer of answers) expect(told(answer)).toEqual(told(answers[0] as (typeof answers)[number]));
    expect(answers[0]?.status).toBe(401);
  });
});

describe("a key", () => {
  it("opens the account it belongs to, with the scheme in any letters", async () => {
    const { key } = await newAccount();
    for (const scheme of ["Bearer", "bearer", "BEARER"])
      expect((await api("GET", "/v1/jobs", { headers: { Authorization: `${scheme} ${key}` } })).status).toBe(200);
  });

  it("revoked elsewhere opens nothing any more after 60 seconds", async () => {
    const { id, key } = await newAccount();
    expect((await api("GET", "/v1/jobs", { key })).status).toBe(200);
    await env.DB.prepare("DELETE FROM api_keys WHERE account_id = ?").bind(id).run();
    advance(MINUTE);
    expect((await api("GET", "/v1/jobs", { key })).status).toBe(401);
  });

  it("of a deleted account opens nothing any more, at once here and after 60 seconds elsewhere", async () => {
    const [here, elsewhere] = [await newAccount(), await newAccount()];
    for (const account of [here, elsewhere]) expect((await api("GET", "/v1/jobs", account)).status).toBe(200);
    await remove(here);
    expect((await api("GET", "/v1/jobs", here)).status).toBe(401);
    await removeElsewhere(elsewhere);
    advance(MINUTE);
    expect((await api("GET", "/v1/jobs", elsewhere)).status).toBe(401);
  });

  it("that nobody holds is not looked up again for 10 seconds, and then is", async () => {
    const account = await newAccount();
    const { results } = await env.DB.prepare("SELECT * FROM api_keys WHERE account_id = ?").bind(account.id).all();
    await env.DB.prepare("DELETE FROM api_keys WHERE account_id = ?").bind(account.id).run();
    expect((await api("GET", "/v1/jobs", account)).status).toBe(401);
    const row = results[0] ?? {};
    await env.DB.prepare(
      `INSERT INTO api_keys (${Object.keys(row).join(", ")}) VALUES (${Object.keys(row).map(() => "?")})`,
    )
      .bind(...Object.values(row))
      .run();
    advance(9_999);
    expect((await api("GET", "/v1/jobs", account)).status).toBe(401);
    advance(1);
    expect((await api("GET", "/v1/jobs", account)).status).toBe(200);
  });

  it("is not stored: the database holds its hash only", async () => {
    const { id, key } = await newAccount();
    const { results } = await env.DB.prepare("SELECT * FROM api_keys WHERE account_id = ?").bind(id).all();
    expect(JSON.stringify(results)).not.toContain(key);
    expect(JSON.stringify(results)).not.toContain(key.slice(12));
  });
});

describe("a suspended account's key", () => {
  it.each(ROUTES)("is answered 403 account_suspended on %s %s, whatever else is wrong", async (method, path) => {
    const account = await newAccount();
    await suspend(account);
    const answer = await api(method, path, { ...account, env: { API_RATE_LIMIT: NEVER, WORKER_RATE_LIMIT: NEVER } });
    expect([answer.status, answer.body.code, answer.body.errors]).toEqual([403, "account_suspended", []]);
    expect(answer.headers.get("WWW-Authenticate")).toBeNull();
  });

  it("opens everything again after it is resumed; both are known at once here and after 60 seconds elsewhere", async () => {
    const account = await newAccount();
    const status = async () => (await api("GET", "/v1/jobs", account)).status;
    expect(await status()).toBe(200);
    await suspend(account);
    expect(await status()).toBe(403);
    await resume(account);
    expect(await status()).toBe(200);
    await env.DB.prepare("UPDATE accounts SET status = 'suspended' WHERE id = ?").bind(account.id).run();
    advance(MINUTE);
    expect(await status()).toBe(403);
    await env.DB.prepare("UPDATE accounts SET status = 'active' WHERE id = ?").bind(account.id).run();
    advance(MINUTE);
    expect(await status()).toBe(200);
  });

  it("that does not exist any more is 401 like any other", async () => {
    const account = await newAccount();
    await suspend(account);
    await remove(account);
    expect((await api("GET", "/v1/jobs", account)).status).toBe(401);
  });
});

describe("the operator's paths", () => {
  it.each(OPERATOR_ROUTES)("do not exist without an admin token: %s %s", async (method, path) => {
    for (const token of [undefined, "", "x".repeat(31)]) {
      const around = { ADMIN_TOKEN: token };
      const answer = await api(method, path, { key: token || ADMIN, env: around });
      expect([answer.status, answer.body.code]).toEqual([404, "not_found"]);
      expect((await api("PATCH", path, { env: around })).status).toBe(404);
    }
  });

  it.each(OPERATOR_ROUTES)("refuse everything but the admin token with 401: %s %s", async (method, path) => {
    const { key } = await newAccount();
    for (const wrong of [undefined, "", ADMIN.slice(0, -1), `${ADMIN}x`, ADMIN.toUpperCase(), key]) {
      const answer = await api(method, path, { key: wrong });
      expect([answer.status, answer.body.code]).toEqual([401, "unauthorized"]);
      expect(answer.body.message).toContain("admin token");
    }
  });
});

describe("a secret of the service that is short enough to be guessed", () => {
  it("counts as not set, and the log names it", async () => {
    const [short, long] = ["x".repeat(31), "x".repeat(32)];
    expect((await api("GET", "/v1/admin/accounts", { key: short, env: { ADMIN_TOKEN: short } })).status).toBe(404);
    expect((await api("GET", "/v1/admin/accounts", { key: long, env: { ADMIN_TOKEN: long } })).status).toBe(200);
    expect((await api("GET", "/health", { env: { MASTER_KEY: short } })).status).toBe(503);
    expect((await api("GET", "/health", { env: { MASTER_KEY: long } })).status).toBe(200);
    expect(logs.of("secret_too_short").map(({ name }) => name)).toEqual(["ADMIN_TOKEN", "MASTER_KEY"]);
    expect(logs.lines.join()).not.toContain(short);
  });
});

describe("an address that sends unknown keys", () => {
  const unknownKey = () => `chrns_${crypto.randomUUID().replaceAll("-", "").padEnd(43, "x")}`;
  const from = (address: string, key = unknownKey(), call: Call = {}) =>
    api("GET", "/v1/jobs", { ...call, key, headers: { "CF-Connecting-IP": address } });
  const guess = (address: string, count: number) => Promise.all(Array.from({ length: count }, () => from(address)));
  const statuses = async (address: string, count: number) => (await guess(address, count)).map(({ status }) => status);
  const lookUps = () => vi.spyOn(env.DB, "prepare").mock.calls.filter(([query]) => query.includes("api_keys"));

  it("is told so 30 times in 10 seconds, all at once or one by one, and then 429 before anything is looked up", async () => {
    const address = anAddress();
    vi.spyOn(env.DB, "prepare");
    expect((await statuses(address, 100)).filter((status) => status === 401)).toHaveLength(30);
    expect(lookUps()).toHaveLength(30);
    const refused = await from(address);
    expect([refused.status, refused.body.code]).toEqual([429, "rate_limit_exceeded"]);
    expect(refused.headers.get("Retry-After")).toBe("10");
    advance(9_999);
    expect((await from(address)).status).toBe(429);
    advance(1);
    expect(await statuses(address, 1)).toEqual([401]);
  });

  it("is told the same one unknown key that often, although it is looked up once", async () => {
    const [address, key] = [anAddress(), unknownKey()];
    const answers = [];
    for (let n = 0; n < 31; n++) answers.push((await from(address, key)).status);
    expect(answers).toEqual([...Array(30).fill(401), 429]);
  });

  it("learns from the platform's limiter what other isolates have seen", async () => {
    const address = anAddress();
    expect((await from(address, unknownKey(), { env: { GUESS_RATE_LIMIT: NEVER } })).status).toBe(401);
    expect((await from(address)).status).toBe(429);
  });

  it("does not hold up a key that is known here, nor another address", async () => {
    const [address, account] = [anAddress(), await newAccount()];
    expect((await from(address, account.key)).status).toBe(200);
    await guess(address, 31);
    expect((await from(address, account.key)).status).toBe(200);
    advance(MINUTE); // known still, and read again
    await guess(address, 31);
    expect((await from(address, account.key)).status).toBe(200);
    expect((await from(anAddress())).status).toBe(401);
  });

  it("and 50 right keys at once opens with all of them", async () => {
    const address = anAddress();
    const accounts = await Promise.all(Array.from({ length: 50 }, () => newAccount()));
    const answers = await Promise.all(accounts.map(({ key }) => from(address, key)));
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect((await from(address)).status).toBe(401);
  });

  it("is one with its whole IPv6 network, and with itself mapped into IPv6", async () => {
    await guess("2001:db8:1:2::1", 30);
    expect((await from("2001:db8:1:2:ffff::7")).status).toBe(429);
    expect((await from("2001:db8:1:3::1")).status).toBe(401);
    const address = anAddress();
    await guess(address, 30);
    expect((await from(`::ffff:${address}`)).status).toBe(429);
  });

  it("pays nothing for keys that are missing or malformed: they are not looked up", async () => {
    const address = anAddress();
    for (let n = 0; n < 40; n++) expect((await from(address, "chrns_short")).status).toBe(401);
    expect((await from(address)).status).toBe(401);
  });

  it("is limited for wrong admin tokens just so, and apart: guessed keys do not lock the operator out", async () => {
    const address = anAddress();
    const operate = (key: string) =>
      api("GET", "/v1/admin/accounts", { key, headers: { "CF-Connecting-IP": address } });
    await guess(address, 31);
    expect((await operate(ADMIN)).status).toBe(200);
    const answers = await Promise.all(Array.from({ length: 40 }, () => operate("wrong")));
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(30);
    expect((await operate(ADMIN)).status).toBe(429);
    advance(10_000);
    expect((await operate(ADMIN)).status).toBe(200);
  });
});

describe("an account's keys", () => {
  it("share its limit, on worker endpoints another one", async () => {
    const { id, key } = await newAccount();
    const asked: string[] = [];
    const limiter = (name: string) => ({
      limit: async ({ key }: { key: string }) => {
        asked.push(`${name} ${key === id ? "account" : "key"}`);
        return { success: !name.startsWith("ACCOUNT") };
      },
    });
    const names = ["API_RATE_LIMIT", "WORKER_RATE_LIMIT", "ACCOUNT_RATE_LIMIT", "ACCOUNT_WORKER_RATE_LIMIT"] as const;
    const around = Object.fromEntries(names.map((name) => [name, limiter(name)]));
    for (const [method, path] of [ROUTES[0], ROUTES[6]]) {
      const { status, body, headers } = await api(method, path, { key, env: around });
      expect([status, body.code, headers.get("Retry-After")]).toEqual([429, "rate_limit_exceeded", "10"]);
    }
    expect(asked).toEqual([
      "API_RATE_LIMIT key",
      "ACCOUNT_RATE_LIMIT account",
      "WORKER_RATE_LIMIT key",
      "ACCOUNT_WORKER_RATE_LIMIT account",
    ]);
  });

  it("do not use it up with requests that a key's own limit refuses", async () => {
    const { key } = await newAccount();
    const account = { limit: vi.fn(async () => ({ success: true })) };
    await api("GET", "/v1/jobs", { key, env: { API_RATE_LIMIT: NEVER, ACCOUNT_RATE_LIMIT: account } });
    expect(account.limit).not.toHaveBeenCalled();
  });
});

describe("the rate limit of the platform", () => {
  const ask = async (method: string, path: string, key: string) =>
    read(await exports.default.fetch(requestOf(method, path, { key })));
  const burst = (key: string) => Promise.all(Array.from({ length: 201 }, () => ask("GET", "/v1/api-keys", key)));

  it("lets 100 requests through in 10 seconds, per key, and tells the others when to come back", async () => {
    const account = await newAccount();
    const answers = await burst(account.key);
    const refused = answers.filter(({ status }) => status === 429);
    expect(answers.length - refused.length).toBeGreaterThanOrEqual(100);
    expect(refused.length).toBeGreaterThanOrEqual(1);
    expect(refused[0]?.body).toEqual({
      success: false,
      message: expect.any(String),
      code: "rate_limit_exceeded",
      errors: [],
    });
    expect(refused[0]?.headers.get("Retry-After")).toMatch(/^[1-9]\d*$/);
    expect((await ask("GET", "/v1/api-keys", (await newAccount()).key)).status).toBe(200);
    // Workers have a limit of their own.
    expect((await ask("POST", "/v1/worker/jobs/not-a-uuid/heartbeat", account.key)).status).toBe(422);
  });
});

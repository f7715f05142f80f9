// Who may call (contract §1): every key that opens nothing is told the same.

import { env, exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { newAccount, remove, resume, suspend } from "./harness/account.ts";
import { ADMIN, api, must, read, requestOf } from "./harness/api.ts";
import { advance, MINUTE } from "./harness/clock.ts";

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
] as const;

const OPERATOR_ROUTES = [
  ["GET", "/v1/admin/accounts"],
  ["POST", "/v1/admin/accounts"],
  ["POST", "/v1/admin/accounts/not-a-uuid/suspend"],
  ["POST", "/v1/admin/accounts/not-a-uuid/resume"],
  ["DELETE", "/v1/admin/accounts/not-a-uuid"],
] as const;

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
    const [account, gone, resting] = [await newAccount(), await newAccount(), await newAccount()];
    const second = await must(
      api<{ id: string; key: string }>("POST", "/v1/api-keys", { key: account.key, body: { name: "second" } }),
    );
    await api("DELETE", `/v1/api-keys/${second.id}`, { key: account.key });
    await remove(gone);
    await suspend(resting);
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
        `Bearer ${resting.key}`,
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

  it("of a suspended account opens nothing after 60 seconds, and everything again 60 seconds after it is resumed", async () => {
    const account = await newAccount();
    expect((await api("GET", "/v1/jobs", account)).status).toBe(200);
    await suspend(account);
    advance(MINUTE);
    expect((await api("GET", "/v1/jobs", account)).status).toBe(401);
    await resume(account);
    advance(MINUTE);
    expect((await api("GET", "/v1/jobs", account)).status).toBe(200);
  });

  it("of a deleted account opens nothing after 60 seconds", async () => {
    const account = await newAccount();
    expect((await api("GET", "/v1/jobs", account)).status).toBe(200);
    await remove(account);
    advance(MINUTE);
    expect((await api("GET", "/v1/jobs", account)).status).toBe(401);
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

describe("the operator's paths", () => {
  it.each(OPERATOR_ROUTES)("do not exist without an admin token: %s %s", async (method, path) => {
    for (const token of [undefined, ""]) {
      const around = { ADMIN_TOKEN: token };
      const answer = await api(method, path, { key: ADMIN, env: around });
      expect([answer.status, answer.body.code]).toEqual([404, "not_found"]);
      expect((await api("PATCH", path, { env: around })).status).toBe(404);
    }
  });

  it.each(OPERATOR_ROUTES)("refuse everything but the admin token with 401: %s %s", async (method, path) => {
    const { key } = await newAccount();
    for (const wrong of [undefined, "", "adm_tes", "adm_testx", "ADM_TEST", key]) {
      const answer = await api(method, path, { key: wrong });
      expect([answer.status, answer.body.code]).toEqual([401, "unauthorized"]);
      expect(answer.body.message).toContain("admin token");
    }
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

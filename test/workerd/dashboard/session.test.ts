// The dashboard's session (design, "Security"): a cookie that stands for an API key, on our own pages only, as long as that key is valid.

import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { hashOf } from "../../../src/accounts/api-key.ts";
import { seal } from "../../../src/accounts/sealed.ts";
import { sealSignIn } from "../../../src/accounts/session.ts";
import { type Account, newAccount, remove, resume, suspend } from "../harness/account.ts";
import { ADMIN, anAddress, api, must } from "../harness/api.ts";
import { advance, HOUR, iso, MINUTE, NOON, setClock } from "../harness/clock.ts";
import { databaseDown } from "../harness/database.ts";
import { logs } from "../harness/logs.ts";
import { cookieOf, OUR_PAGE, type SessionJson, signedIn, signIn } from "./browser.ts";

const MASTER_KEY = (env as unknown as { MASTER_KEY: string }).MASTER_KEY;
const NEVER = { limit: async () => ({ success: false }) };
const A_JOB = { name: "j", handler: "h", delay: { value: 1, unit: "hour" } };

const keyOf = async (account: Account, scope: string, expiresAt: string | null = null) =>
  must(
    api<{ id: string; key: string }>("POST", "/v1/api-keys", {
      key: account.key,
      body: { name: scope, scope, expires_at: expiresAt },
    }),
  );

describe("signing in with an API key", () => {
  it("answers who that is, and sets a cookie that no script, no other site and no plain http sees", async () => {
    const account = await newAccount("Shop");
    const answer = await signIn({ api_key: account.key });
    expect([answer.status, answer.body.data]).toEqual([
      200,
      {
        account_id: account.id,
        account_name: "Shop",
        scope: "full",
        read_only: false,
        expires_at: iso(NOON + 12 * HOUR),
      },
    ]);
    const { pair, attributes } = cookieOf(answer);
    expect(attributes).toEqual(["HttpOnly", "Max-Age=43200", "Path=/", "SameSite=Strict", "Secure"]);
    expect(pair).toMatch(/^__Host-chronos_session=[\w-]+\.[\w-]{43}$/);
    expect(answer.headers.get("Cache-Control")).toBe("no-store");
  });

  it("over plain http names the cookie after its port, and a proxy that ends TLS makes it secure", async () => {
    const { key } = await newAccount();
    const plain = await import("../harness/api.ts").then(
      ({ app, NO_RATE_LIMITS, read, requestOf }) =>
        async (more: object) => {
          const { headers } = requestOf("POST", "/", {
            body: {},
            headers: { "Sec-Fetch-Site": "same-origin", ...more },
          });
          const request = new Request("http://127.0.0.1:8787/dashboard/session", {
            method: "POST",
            headers,
            body: JSON.stringify({ api_key: key }),
          });
          return cookieOf(await read(await app.fetch(request, { ...env, ...NO_RATE_LIMITS } as never)));
        },
    );
    const http = await plain({});
    expect(http.pair).toMatch(/^chronos_session_8787=/);
    expect(http.attributes).toEqual(["HttpOnly", "Max-Age=43200", "Path=/", "SameSite=Strict"]);
    const https = await plain({ "X-Forwarded-Proto": "https" });
    expect(https.pair).toMatch(/^__Host-chronos_session_8787=/);
    expect(https.attributes).toContain("Secure");
  });

  it("holds nothing of the key, and neither cookie nor key is in the log", async () => {
    const account = await newAccount();
    const { ask, pair } = await signedIn(account);
    await ask("GET", "/v1/jobs");
    const text = atob((pair.split("=")[1]?.split(".")[0] ?? "").replaceAll("-", "+").replaceAll("_", "/"));
    expect(Object.keys(JSON.parse(text))).toEqual(["v", "accountId", "keyId", "readOnly", "expiresAt"]);
    const written = logs.lines.join();
    for (const secret of [account.key, account.key.slice(6), pair.split("=")[1] ?? "", await hashOf(account.key)])
      expect(written).not.toContain(secret);
  });

  it.each(["create", "worker"])("is refused to a key of the scope %s, which is told why", async (scope) => {
    const answer = await signIn({ api_key: (await keyOf(await newAccount(), scope)).key });
    expect([answer.status, answer.body.code]).toEqual([403, "forbidden"]);
    expect(answer.body.message).toContain(`\`${scope}\``);
    expect(answer.headers.getSetCookie()).toEqual([]);
  });

  it.each([
    ["api_key", {}],
    ["api_key", { api_key: null, sign_in: null }],
    ["api_key", { api_key: "" }],
    ["sign_in", { api_key: "a", sign_in: "b" }],
    ["read_only", { api_key: "a", read_only: "yes" }],
    ["colour", { api_key: "a", colour: "red" }],
  ])("422 on %s for %j", async (field, body) => {
    const answer = await signIn(body);
    expect([answer.status, answer.body.errors.map((error) => error.field)]).toEqual([422, [field]]);
  });

  it("limits guesses by address, as the API does", async () => {
    const headers = { "CF-Connecting-IP": anAddress() };
    const unknown = `chrns_${"A".repeat(43)}`;
    for (let n = 0; n < 30; n++) expect((await signIn({ api_key: unknown }, { headers })).status).toBe(401);
    expect((await signIn({ api_key: unknown }, { headers })).status).toBe(429);
    expect((await api("GET", "/v1/jobs", { key: unknown, headers })).status).toBe(429);
  });

  it("is 403 for a suspended account, 503 while the database is down or there is no master key", async () => {
    const [account, other] = [await newAccount(), await newAccount()];
    await suspend(account);
    expect((await signIn({ api_key: account.key })).body.code).toBe("account_suspended");
    expect((await signIn({ api_key: other.key }, { env: { MASTER_KEY: "" } })).status).toBe(503);
    databaseDown();
    expect((await signIn({ api_key: await keyShape() })).status).toBe(503);
  });
});

const keyShape = async () => `chrns_${crypto.randomUUID().replaceAll("-", "").padEnd(43, "x")}`;

describe("signing in with a link", () => {
  const link = (account: Account, now = Date.now(), masterKey = MASTER_KEY) =>
    hashOf(account.key).then((hash) => sealSignIn(masterKey, hash, now));

  it("opens the session of the key it was made for, for 24 hours", async () => {
    const account = await newAccount();
    const token = await link(account);
    setClock(NOON + 24 * HOUR - 1);
    const answer = await signIn({ sign_in: token, read_only: true });
    expect(answer.body.data).toMatchObject({ account_id: account.id, scope: "full", read_only: true });
    setClock(NOON + 24 * HOUR);
    expect((await signIn({ sign_in: token })).status).toBe(401);
  });

  it("opens nothing once its key is deleted, when it was changed, or when it was sealed with another key or for something else", async () => {
    const account = await newAccount();
    const token = await link(account);
    const facts = { v: 1, keyHash: await hashOf(account.key), expiresAt: NOON + HOUR };
    const { pair } = await signedIn(account);
    const wrong = [
      `${token}x`,
      `x${token}`,
      token.replace(".", ""),
      token.split(".")[0] ?? "",
      await link(account, NOON, "another master key, and just as long as it"),
      await seal(MASTER_KEY, "dashboard session", facts),
      pair.split("=")[1] ?? "",
    ];
    for (const sign_in of wrong) expect([sign_in, (await signIn({ sign_in })).status]).toEqual([sign_in, 401]);
    expect((await signIn({ sign_in: token })).status).toBe(200);
    await keyOf(account, "full");
    const keys = await must(api<{ id: string; name: string }[]>("GET", "/v1/api-keys", account));
    await api("DELETE", `/v1/api-keys/${keys.find(({ name }) => name === "first")?.id}`, account);
    expect((await signIn({ sign_in: token })).status).toBe(401);
  });
});

describe("a session", () => {
  it("calls the API as its key does: reading, changing, and counted under the key's limit", async () => {
    const account = await newAccount();
    const { ask } = await signedIn(account);
    expect((await ask("POST", "/v1/jobs", { body: A_JOB })).status).toBe(201);
    expect((await ask<unknown[]>("GET", "/v1/jobs")).body.data).toHaveLength(1);
    expect((await ask("GET", "/v1/metrics")).text).toContain("chronos_");
    expect((await ask("GET", "/v1/metrics")).text).not.toContain(account.id);
    const asked: string[] = [];
    const limiter = { limit: async ({ key }: { key: string }) => ({ success: asked.push(key) > 99 }) };
    const keys = await must(api<{ id: string }[]>("GET", "/v1/api-keys", account));
    expect((await ask("GET", "/v1/jobs", { env: { API_RATE_LIMIT: limiter } })).status).toBe(429);
    expect((await ask("GET", "/dashboard/session", { env: { API_RATE_LIMIT: limiter } })).status).toBe(429);
    expect(asked).toEqual([keys[0]?.id, keys[0]?.id]);
    expect((await signIn({ api_key: account.key }, { env: { API_RATE_LIMIT: NEVER } })).status).toBe(429);
  });

  it("is not asked for a header: a key that is sent with it decides alone", async () => {
    const [mine, other] = [await newAccount(), await newAccount()];
    const { ask } = await signedIn(mine);
    await ask("POST", "/v1/jobs", { body: A_JOB });
    expect((await ask<unknown[]>("GET", "/v1/jobs", { key: other.key })).body.data).toEqual([]);
    expect((await ask("GET", "/v1/jobs", { key: "chrns_wrong" })).status).toBe(401);
    expect((await ask("GET", "/v1/jobs", { headers: { Authorization: "" } })).status).toBe(401);
  });

  it("is shown by GET /dashboard/session; without one that is 401, with a key too", async () => {
    const account = await newAccount();
    const { ask } = await signedIn(account);
    const { status, body } = await ask<SessionJson>("GET", "/dashboard/session");
    expect([status, body.data]).toEqual([200, (await signIn({ api_key: account.key })).body.data]);
    expect((await api("GET", "/dashboard/session")).status).toBe(401);
    expect((await api("GET", "/dashboard/session", account)).status).toBe(401);
  });

  it.each([
    ["POST", "/v1/worker/jobs/claim"],
    ["POST", "/v1/worker/jobs/report"],
    ["POST", `/v1/worker/jobs/${crypto.randomUUID()}/heartbeat`],
    ["GET", "/v1/admin/accounts"],
    ["POST", "/v1/admin/accounts"],
  ])("opens nothing on %s %s", async (method, path) => {
    const account = await newAccount();
    const { ask } = await signedIn(account);
    const [given, none] = [await ask(method, path), await api(method, path)];
    expect([given.status, given.body]).toEqual([401, none.body]);
  });

  it("lasts 12 hours to the millisecond, and no longer than its key", async () => {
    const account = await newAccount();
    const brief = await keyOf(account, "full", iso(NOON + 90 * MINUTE));
    const [long, short] = [await signedIn(account), await signedIn(brief)];
    expect(cookieOf(await signIn({ api_key: brief.key })).attributes).toContain("Max-Age=5400");
    setClock(NOON + 90 * MINUTE - 1);
    expect((await short.ask("GET", "/v1/jobs")).status).toBe(200);
    setClock(NOON + 90 * MINUTE);
    expect((await short.ask("GET", "/v1/jobs")).status).toBe(401);
    setClock(NOON + 12 * HOUR - 1);
    expect((await long.ask("GET", "/v1/jobs")).status).toBe(200);
    setClock(NOON + 12 * HOUR);
    const ended = await long.ask("GET", "/v1/jobs");
    expect([ended.status, ended.body.code]).toEqual([401, "unauthorized"]);
    expect(ended.body.message).toContain("Sign in");
  });

  it("ends with its key: at once where that is deleted, after 60 seconds elsewhere", async () => {
    const account = await newAccount();
    const [here, elsewhere] = [await keyOf(account, "full"), await keyOf(account, "full")];
    const [one, two] = [await signedIn(here), await signedIn(elsewhere)];
    for (const { ask } of [one, two]) expect((await ask("GET", "/v1/jobs")).status).toBe(200);
    await api("DELETE", `/v1/api-keys/${here.id}`, account);
    expect((await one.ask("GET", "/v1/jobs")).status).toBe(401);
    await env.DB.prepare("DELETE FROM api_keys WHERE id = ?").bind(elsewhere.id).run();
    advance(MINUTE);
    expect((await two.ask("GET", "/v1/jobs")).status).toBe(401);
  });

  it("ends with its account, and waits while that is suspended", async () => {
    const account = await newAccount();
    const { ask } = await signedIn(account);
    const status = async () => (await ask("GET", "/v1/jobs")).status;
    expect(await status()).toBe(200);
    await suspend(account);
    expect(await status()).toBe(403);
    await resume(account);
    expect(await status()).toBe(200);
    await env.DB.prepare("UPDATE accounts SET status = 'suspended' WHERE id = ?").bind(account.id).run();
    advance(MINUTE);
    expect(await status()).toBe(403);
    await remove(account);
    expect(await status()).toBe(401);
  });

  it("works from memory while the database is down", async () => {
    const { ask } = await signedIn(await newAccount());
    const { id } = (
      await ask<{ id: string }>("POST", "/v1/jobs", { body: { ...A_JOB, delay: { value: 1, unit: "minute" } } })
    ).body.data;
    databaseDown();
    advance(MINUTE / 2);
    expect((await ask("POST", `/v1/jobs/${id}/cancel`)).status).toBe(200);
  });

  it("that was changed by a single character opens nothing", async () => {
    const { ask, pair } = await signedIn(await newAccount());
    const [name = "", value = ""] = pair.split("=");
    for (const at of [0, 40, value.indexOf(".") - 1, value.indexOf(".") + 1, value.length - 2]) {
      const other = value[at] === "A" ? "B" : "A";
      const changed = `${name}=${value.slice(0, at)}${other}${value.slice(at + 1)}`;
      expect([at, (await ask("GET", "/v1/jobs", { headers: { Cookie: changed } })).status]).toEqual([at, 401]);
    }
    for (const wrong of ["", ".", "x", `${value}.${value}`, "%", `${value}${"A".repeat(4_000)}`])
      expect((await ask("GET", "/v1/jobs", { headers: { Cookie: `${name}=${wrong}` } })).status).toBe(401);
  });

  it("names no account but its key's: another's key id opens nothing, even if it was sealed by us", async () => {
    const [mine, other] = [await newAccount(), await newAccount()];
    const [theirs] = await must(api<{ id: string }[]>("GET", "/v1/api-keys", other));
    const facts = { v: 1, accountId: mine.id, keyId: theirs?.id, readOnly: false, expiresAt: NOON + HOUR };
    const Cookie = `__Host-chronos_session=${await seal(MASTER_KEY, "dashboard session", facts)}`;
    expect((await api("GET", "/v1/jobs", { headers: { Cookie } })).status).toBe(401);
  });

  it("outlives a change of the master key as long as the previous one is known", async () => {
    const { ask } = await signedIn(await newAccount());
    const changed = { MASTER_KEY: "another master key, and just as long as it" };
    const status = async (around: object) => (await ask("GET", "/v1/jobs", { env: around })).status;
    expect(await status({ ...changed, MASTER_KEY_PREVIOUS: MASTER_KEY })).toBe(200);
    expect(await status(changed)).toBe(401);
    expect(await status({ MASTER_KEY: "too short" })).toBe(503);
  });

  it("is left by signing out: the cookie is gone", async () => {
    const { ask } = await signedIn(await newAccount());
    const answer = await ask("DELETE", "/dashboard/session");
    expect(answer.status).toBe(200);
    const { pair, attributes } = cookieOf(answer);
    expect([pair, attributes]).toEqual([
      "__Host-chronos_session=",
      ["HttpOnly", "Max-Age=0", "Path=/", "SameSite=Strict", "Secure"],
    ]);
  });
});

describe("a request that changes something with nothing but a session", () => {
  const FOREIGN = [
    { "Sec-Fetch-Site": "cross-site", Origin: "https://evil.test" },
    { "Sec-Fetch-Site": "same-site", Origin: "https://other.chronos.test" },
    { "Sec-Fetch-Site": "none", Origin: "https://chronos.test" },
    { "Sec-Fetch-Site": "cross-site", Origin: "https://chronos.test" },
    { Origin: "https://evil.test" },
    { Origin: "http://chronos.test" },
    { Origin: "https://chronos.test:8443" },
    { Origin: "null" },
    {},
  ];
  const UNSAFE = [
    ["POST", "/v1/jobs"],
    ["PATCH", `/v1/jobs/${crypto.randomUUID()}`],
    ["DELETE", `/v1/jobs/${crypto.randomUUID()}`],
    ["POST", "/v1/signing-secret/rotate"],
    ["DELETE", "/dashboard/session"],
  ] as const;

  it.each(FOREIGN)("is refused with 403 from elsewhere: %j", async (headers) => {
    const account = await newAccount();
    const { pair } = await signedIn(account);
    for (const [method, path] of UNSAFE) {
      const body = path === "/v1/jobs" ? A_JOB : undefined;
      const { status, body: told } = await api(method, path, { body, headers: { ...headers, Cookie: pair } });
      expect([path, status, told.code]).toEqual([path, 403, "forbidden"]);
    }
    expect((await api<unknown[]>("GET", "/v1/jobs", account)).body.data).toEqual([]);
    const begun = await api("POST", "/dashboard/session", { body: { api_key: account.key }, headers });
    expect([begun.status, begun.headers.getSetCookie()]).toEqual([403, []]);
  });

  it.each([{ "Sec-Fetch-Site": "same-origin" }, { Origin: "https://chronos.test" }])(
    "passes from here: %j",
    async (headers) => {
      const { pair } = await signedIn(await newAccount());
      const { status } = await api("POST", "/v1/jobs", { body: A_JOB, headers: { ...headers, Cookie: pair } });
      expect(status).toBe(201);
    },
  );

  it("is nobody's matter with an API key, wherever it comes from", async () => {
    const { key } = await newAccount();
    expect((await api("POST", "/v1/jobs", { key, body: A_JOB, headers: FOREIGN[0] ?? {} })).status).toBe(201);
  });
});

describe("a read-only session", () => {
  it.each(["by choice", "by its key"])("%s reads, and is refused every change and the signing secret", async (kind) => {
    const account = await newAccount();
    const { ask } = await signedIn(
      kind === "by choice" ? account : await keyOf(account, "read"),
      kind === "by choice" ? { read_only: true } : {},
    );
    const { data } = (await ask<SessionJson>("GET", "/dashboard/session")).body;
    expect([data.read_only, data.scope]).toEqual([true, kind === "by choice" ? "full" : "read"]);
    expect((await ask("GET", "/v1/jobs")).status).toBe(200);
    for (const [method, path] of [
      ["POST", "/v1/jobs"],
      ["POST", "/v1/bulk-actions"],
      ["POST", "/v1/api-keys"],
      ["DELETE", `/v1/api-keys/${crypto.randomUUID()}`],
      ["GET", "/v1/signing-secret"],
    ] as const) {
      const { status, body } = await ask(method, path);
      expect([path, status, body.code]).toEqual([path, 403, "forbidden"]);
      expect(body.message).toContain(kind === "by choice" ? "session is read-only" : "scope `read`");
    }
    expect((await ask("DELETE", "/dashboard/session")).status).toBe(200);
  });
});

it("the admin token opens no session, and a session is not the operator at /v1/metrics", async () => {
  expect((await signIn({ api_key: ADMIN })).status).toBe(401);
  const { pair } = await signedIn(await newAccount());
  const wrong = await api("GET", "/v1/metrics", { headers: { ...OUR_PAGE, Cookie: `${pair}x` } });
  expect(wrong.status).toBe(401);
});

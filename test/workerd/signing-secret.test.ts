// An account's signing secret (contract §7), and what a delivery is signed with meanwhile (§4).

import { env } from "cloudflare:workers";
import { eq } from "drizzle-orm";
import { Webhook } from "standardwebhooks";
import { beforeEach, describe, expect, it } from "vitest";
import { signingStateOf } from "../../src/accounts/signing-secret.ts";
import { prepare } from "../../src/delivery/prepare.ts";
import type { Job, SigningState } from "../../src/domain/job.ts";
import { directoryOf } from "../../src/store/databases.ts";
import { accounts } from "../../src/store/schema.ts";
import { type Account, newAccount } from "./harness/account.ts";
import { ADMIN, api, must } from "./harness/api.ts";
import { advance, HOUR, iso, NOON, setClock } from "./harness/clock.ts";
import { answerLost, databaseDown, LOST } from "./harness/database.ts";
import { newJob } from "./harness/job.ts";
import { post } from "./harness/post.ts";
import { type Received, receiver } from "./harness/receiver.ts";

interface SecretJson {
  readonly signing_secret: string;
  readonly previous_signing_secret: string | null;
  readonly previous_valid_until: string | null;
}

interface NewAccount {
  readonly id: string;
  readonly api_key: string;
}

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

const get = async () => (await api<SecretJson>("GET", "/v1/signing-secret", { key: account.key })).body.data;
const rotate = (body?: unknown) => api<SecretJson>("POST", "/v1/signing-secret/rotate", { key: account.key, body });

async function delivered(): Promise<Received> {
  const job = await newJob(account);
  await job.ring();
  return receiver.received.at(-1) as Received;
}

async function chronosSignature(secret: string, { headers, body }: Received): Promise<string> {
  const text = `${headers.get("X-Chronos-Delivery-Id")}.${headers.get("X-Chronos-Timestamp")}.${body}`;
  const key = await crypto.subtle.importKey(
    "raw",
    new TextEncoder().encode(secret),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(text)));
  return `sha256=${Array.from(mac, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

const standardTrusts = (secret: string, { headers, body }: Received): boolean => {
  try {
    new Webhook(secret).verify(body, Object.fromEntries(headers));
    return true;
  } catch {
    return false;
  }
};

it("is the one the account was made with, and reads whsec_ and 32 bytes in base64", async () => {
  const { signing_secret, previous_signing_secret, previous_valid_until } = await get();
  expect(signing_secret).toBe(account.secret);
  expect(signing_secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect([previous_signing_secret, previous_valid_until]).toEqual([null, null]);
  expect(account.secret).not.toBe((await newAccount()).secret);
});

it("rotated, is a new one; the old one is valid beside it for 24 hours", async () => {
  const { status, body } = await rotate();
  expect(status).toBe(200);
  expect(body.data).toEqual({
    signing_secret: expect.stringMatching(/^whsec_/),
    previous_signing_secret: account.secret,
    previous_valid_until: iso(NOON + 24 * HOUR),
  });
  expect(body.data.signing_secret).not.toBe(account.secret);
  setClock(NOON + 24 * HOUR - 1);
  expect(await get()).toEqual(body.data);
  advance(1);
  expect(await get()).toEqual({
    signing_secret: body.data.signing_secret,
    previous_signing_secret: null,
    previous_valid_until: null,
  });
});

it("rotated again while the last rotation overlaps is refused with 409, to the millisecond", async () => {
  await rotate({ overlap_hours: 1 });
  setClock(NOON + HOUR - 1);
  const { status, body } = await rotate();
  expect([status, body.code]).toEqual([409, "conflict"]);
  advance(1);
  expect((await rotate()).status).toBe(200);
});

it("of two rotations at once takes one", async () => {
  const answers = await Promise.all([rotate(), rotate()]);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
});

it.each([1, 168])("overlaps for %i hours when asked to", async (overlap_hours) => {
  const { body } = await rotate({ overlap_hours });
  expect(body.data.previous_valid_until).toBe(iso(NOON + overlap_hours * HOUR));
});

it.each([0, 169, 1.5, "24", -1])("does not overlap for %s hours: 422", async (overlap_hours) => {
  const { status, body } = await rotate({ overlap_hours });
  expect([status, body.errors.map(({ field }) => field)]).toEqual([422, ["overlap_hours"]]);
  expect((await get()).signing_secret).toBe(account.secret);
});

it("without a master key there is none: 503, and a rotation does not happen", async () => {
  const around = { key: account.key, env: { MASTER_KEY: undefined } };
  expect((await api("GET", "/v1/signing-secret", around)).status).toBe(503);
  expect((await api("POST", "/v1/signing-secret/rotate", around)).status).toBe(503);
  expect((await get()).signing_secret).toBe(account.secret);
});

describe("while the master key is being changed", () => {
  const CHANGED = { MASTER_KEY: "another master key, made by the operator", MASTER_KEY_PREVIOUS: env.MASTER_KEY ?? "" };
  const during = async (method: string, path: string, key: string, body?: unknown) =>
    must(api<SecretJson & NewAccount>(method, path, { key, body, env: CHANGED }));
  const secretOf = (key: string) => during("GET", "/v1/signing-secret", key);

  /** What a delivery of the account is signed with then. */
  async function pushed(id: string): Promise<Received> {
    const state = await directoryOf(env).select().from(accounts).where(eq(accounts.id, id)).get();
    const delivery = { type: "push", url: "https://a.example.com/", method: "POST", headers: {} } as const;
    const job = { ...(await (await newJob(account)).stored()), accountId: id, delivery } as Job;
    const around = { ...env, ...CHANGED };
    const ready = await prepare(around, job, "e", signingStateOf(state as SigningState), Date.now());
    if (ready?.kind !== "ready") throw new Error("it cannot be signed");
    return { ...ready.request, headers: new Headers(ready.request.headers) } as unknown as Received;
  }

  it("an account that is made is shown the secret its deliveries are signed with", async () => {
    const made = await during("POST", "/v1/admin/accounts", ADMIN, { name: "new" });
    expect(await secretOf(made.api_key)).toMatchObject({
      signing_secret: made.signing_secret,
      previous_signing_secret: null,
    });
    const delivery = await pushed(made.id);
    expect(delivery.headers.get("X-Chronos-Signature")).toBe(await chronosSignature(made.signing_secret, delivery));
    expect(standardTrusts(made.signing_secret, delivery)).toBe(true);
  });

  it("one that was made before has its old secret beside the new one", async () => {
    const { signing_secret, previous_signing_secret } = await secretOf(account.key);
    expect(previous_signing_secret).toBe(account.secret);
    expect(signing_secret).not.toBe(account.secret);
    const delivery = await pushed(account.id);
    expect(delivery.headers.get("X-Chronos-Signature")).toBe(await chronosSignature(account.secret, delivery));
    expect(standardTrusts(signing_secret, delivery)).toBe(true);
  });

  it("a rotation is shown the secret that deliveries are signed with after its overlap", async () => {
    const { signing_secret: between } = await secretOf(account.key);
    const rotated = await during("POST", "/v1/signing-secret/rotate", account.key, { overlap_hours: 1 });
    expect(rotated.previous_signing_secret).toBe(account.secret);
    const meanwhile = await pushed(account.id);
    for (const secret of [rotated.signing_secret, between, account.secret])
      expect(standardTrusts(secret, meanwhile)).toBe(true);
    expect(meanwhile.headers.get("X-Chronos-Signature")).toBe(await chronosSignature(account.secret, meanwhile));
    setClock(NOON + HOUR);
    const after = await pushed(account.id);
    expect(after.headers.get("X-Chronos-Signature")).toBe(await chronosSignature(rotated.signing_secret, after));
    expect(await secretOf(account.key)).toMatchObject({ previous_signing_secret: null });
  });
});

it("signs each delivery in Chronos' way and in that of Standard Webhooks", async () => {
  const delivery = await delivered();
  expect(delivery.headers.get("X-Chronos-Signature")).toBe(await chronosSignature(account.secret, delivery));
  setClock(Date.now());
  expect(standardTrusts(account.secret, delivery)).toBe(true);
  expect(standardTrusts((await newAccount()).secret, delivery)).toBe(false);
});

it("during an overlap the Chronos signature keeps the old secret and Standard Webhooks trusts both", async () => {
  await delivered();
  const { body } = await rotate({ overlap_hours: 1 });
  const during = await delivered();
  expect(during.headers.get("X-Chronos-Signature")).toBe(await chronosSignature(account.secret, during));
  expect(standardTrusts(account.secret, during)).toBe(true);
  expect(standardTrusts(body.data.signing_secret, during)).toBe(true);
  setClock(NOON + HOUR);
  const after = await delivered();
  expect(after.headers.get("X-Chronos-Signature")).toBe(await chronosSignature(body.data.signing_secret, after));
  expect(standardTrusts(account.secret, after)).toBe(false);
  expect(standardTrusts(body.data.signing_secret, after)).toBe(true);
});

it("is the newest a job's owner has read, when an outage keeps it from reading: not the one of its creation", async () => {
  receiver.answers(500, 500, 200);
  const job = await newJob(account);
  await job.ring();
  const { body } = await rotate({ overlap_hours: 1 });
  await job.ringWhenSet();
  setClock(NOON + 2 * HOUR);
  const down = databaseDown();
  await job.ring();
  down.end();
  const late = receiver.received.at(-1) as Received;
  expect(receiver.received).toHaveLength(3);
  expect(late.headers.get("X-Chronos-Signature")).toBe(await chronosSignature(body.data.signing_secret, late));
});

it("in a memory that lags behind does not take the place of a newer one that the job has already", async () => {
  const job = await newJob(account);
  const newer = { ...(await job.stored())?.signing, signingVersion: 2 };
  await job.store({ ...(await job.stored()), signing: newer });
  post.stop();
  await job.ring();
  expect((await job.stored())?.signing).toEqual(newer);
});

it("a rotation whose first answer is lost is done once, and says so", async () => {
  const before = await get();
  const lost = answerLost('update "accounts"', LOST);
  const rotated = await rotate();
  lost.end();
  expect([rotated.status, rotated.body.data.previous_signing_secret]).toEqual([200, before.signing_secret]);
  expect((await get()).signing_secret).toBe(rotated.body.data.signing_secret);
  advance(1);
  const again = answerLost('update "accounts"', LOST);
  expect((await rotate()).status, "another one that overlaps").toBe(409);
  again.end();
});

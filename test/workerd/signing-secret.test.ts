// An account's signing secret (contract §7), and what a delivery is signed with meanwhile (§4).

import { Webhook } from "standardwebhooks";
import { beforeEach, expect, it } from "vitest";
import { type Account, newAccount } from "./harness/account.ts";
import { api } from "./harness/api.ts";
import { advance, HOUR, iso, NOON, setClock } from "./harness/clock.ts";
import { newJob } from "./harness/job.ts";
import { type Received, receiver } from "./harness/receiver.ts";

interface SecretJson {
  readonly signing_secret: string;
  readonly previous_signing_secret: string | null;
  readonly previous_valid_until: string | null;
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

it("without a master key there is none: 503", async () => {
  const { status } = await api("GET", "/v1/signing-secret", { key: account.key, env: { MASTER_KEY: undefined } });
  expect(status).toBe(503);
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

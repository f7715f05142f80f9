// The signatures of a push and the secrets they are made with, against HMAC and HKDF by hand and a library receivers use.

import { createHmac, hkdfSync } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { idOfMasterKey, type SigningSecrets, secretsAt } from "../../src/accounts/signing-secret.ts";
import { sign } from "../../src/delivery/sign.ts";
import type { SigningState } from "../../src/domain/job.ts";
import { pushBody, pushHeaders } from "../../src/domain/push-message.ts";
import { jsonText } from "../harness/json-text.ts";
import { given, HOUR, JOB_ID, NOON, PUSH, SECOND, STRANGER, waiting } from "./a-job.ts";

const MASTER = { current: "master key", previous: null };
const CHANGING = { current: "new master key", previous: "master key" };

const OLD_ID = await idOfMasterKey("master key");
const NEW_ID = await idOfMasterKey("new master key");

/** Issued before the master key was changed. */
const FIRST = { signingVersion: 1, overlapEndsAt: null, masterKeyId: OLD_ID, previousMasterKeyId: null };
const ROTATED = { signingVersion: 2, overlapEndsAt: NOON + HOUR, masterKeyId: OLD_ID, previousMasterKeyId: OLD_ID };

const REF = { executionId: "e1", attempt: 1 };
const TIMESTAMP = NOON / SECOND;
const BODY = pushBody(waiting({ payload: jsonText({ town: "Žilina" }) }), PUSH, REF);

const byHand = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text);
const bytesOf = (secret: string) => Buffer.from(secret.slice("whsec_".length), "base64");
const secretByHand = (master: string, version: number, account = "acct") => {
  const bytes = hkdfSync("sha256", master, "", `chronos signing secret ${account} ${version}`, 32);
  return `whsec_${Buffer.from(bytes).toString("base64")}`;
};

const signed = (secrets: SigningSecrets, body = BODY) => sign(secrets, REF.executionId, JOB_ID, TIMESTAMP, body);
const headersOf = async (secrets: SigningSecrets, body = BODY) =>
  pushHeaders(waiting(), PUSH, REF, TIMESTAMP, await signed(secrets, body));

describe("an account's signing secret", () => {
  it("is 32 bytes derived from master key, account and version, the same every time", async () => {
    const { current, earlier } = await secretsAt(MASTER, "acct", FIRST, NOON);
    expect(current).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect([current, earlier]).toEqual([secretByHand("master key", 1), []]);
  });

  it("is another one for another account, version and master key", async () => {
    const secrets = await Promise.all([
      secretsAt(MASTER, "acct", FIRST, NOON),
      secretsAt(MASTER, "other", FIRST, NOON),
      secretsAt(MASTER, "acct", { ...FIRST, signingVersion: 2 }, NOON),
      secretsAt({ ...MASTER, current: "another" }, "acct", FIRST, NOON),
    ]);
    expect(new Set(secrets.map(({ current }) => current)).size).toBe(4);
  });

  it("has the one before beside it until the overlap ends, to the millisecond", async () => {
    const at = (now: number) => secretsAt(MASTER, "acct", ROTATED, now);
    const [old, fresh] = [secretByHand("master key", 1), secretByHand("master key", 2)];
    expect(await at(ROTATED.overlapEndsAt - 1)).toEqual({ current: fresh, earlier: [old] });
    expect(await at(ROTATED.overlapEndsAt)).toEqual({ current: fresh, earlier: [] });
  });
});

describe("while the master key is being changed", () => {
  const now = (version: number) => secretByHand("new master key", version);
  const then = (version: number) => secretByHand("master key", version);
  const changing = (state: SigningState, at = NOON) => secretsAt(CHANGING, "acct", state, at);

  it("a secret issued before has the one it was issued as beside it", async () => {
    expect(await changing(FIRST)).toEqual({ current: now(1), earlier: [then(1)] });
  });

  it("a new account's is the one it was shown, and no other", async () => {
    expect(await changing({ ...FIRST, masterKeyId: NEW_ID })).toEqual({ current: now(1), earlier: [] });
  });

  it("one rotated meanwhile has all beside it that its receivers were ever shown, and the oldest last", async () => {
    const rotated = { ...ROTATED, masterKeyId: NEW_ID };
    expect(await changing(rotated)).toEqual({ current: now(2), earlier: [now(1), then(1)] });
    expect(await changing(rotated, ROTATED.overlapEndsAt)).toEqual({ current: now(2), earlier: [] });
  });

  it("a new account's that is rotated meanwhile never falls back on the old master key", async () => {
    const rotated = { ...ROTATED, masterKeyId: NEW_ID, previousMasterKeyId: NEW_ID };
    expect(await changing(rotated)).toEqual({ current: now(2), earlier: [now(1)] });
  });

  it("one whose rotation overlaps the change keeps what its receivers had before both", async () => {
    expect(await changing(ROTATED)).toEqual({ current: now(2), earlier: [then(2), now(1), then(1)] });
    expect(await changing(ROTATED, ROTATED.overlapEndsAt)).toEqual({ current: now(2), earlier: [then(2)] });
  });

  it("for a second time, a secret issued under a key that is long gone has the one in between beside it", async () => {
    const state = { ...FIRST, masterKeyId: await idOfMasterKey("the first master key") };
    expect(await changing(state)).toEqual({ current: now(1), earlier: [then(1)] });
  });

  it("is over when the previous one is taken away", async () => {
    const keys = { ...CHANGING, previous: null };
    expect(await secretsAt(keys, "acct", FIRST, NOON)).toEqual({ current: now(1), earlier: [] });
  });
});

it("a master key's id tells it from others, and is no part of any secret", async () => {
  expect(OLD_ID).toBe(Buffer.from(hkdfSync("sha256", "master key", "", "chronos master key id", 8)).toString("hex"));
  expect(OLD_ID).not.toBe(NEW_ID);
});

describe("a signature", () => {
  const current = secretByHand("master key", 2);
  const previous = secretByHand("master key", 1);

  it("of Chronos keys on the whole secret and covers the execution, in hex", async () => {
    const { chronos } = await signed({ current, earlier: [] });
    expect(chronos).toBe(byHand(current, `e1.${TIMESTAMP}.${BODY}`).digest("hex"));
  });

  it("of Standard Webhooks keys on the decoded bytes and covers the job, in base64", async () => {
    const { standard } = await signed({ current, earlier: [] });
    expect(standard).toEqual([byHand(bytesOf(current), `${JOB_ID}.${TIMESTAMP}.${BODY}`).digest("base64")]);
  });

  it("covers the empty text for a GET", async () => {
    const { chronos } = await signed({ current, earlier: [] }, "");
    expect(chronos).toBe(byHand(current, `e1.${TIMESTAMP}.`).digest("hex"));
  });

  it("is made with both secrets during an overlap, while the Chronos one keeps the old", async () => {
    const { chronos, standard } = await signed({ current, earlier: [previous] });
    expect(chronos).toBe(byHand(previous, `e1.${TIMESTAMP}.${BODY}`).digest("hex"));
    expect(standard).toEqual(
      [current, previous].map((one) => byHand(bytesOf(one), `${JOB_ID}.${TIMESTAMP}.${BODY}`).digest("base64")),
    );
  });
});

describe("a receiver with a Standard Webhooks library", () => {
  const current = secretByHand("master key", 2);
  const previous = secretByHand("master key", 1);

  beforeEach(() => {
    vi.useFakeTimers({ now: NOON, toFake: ["Date"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("accepts a delivery", async () => {
    expect(new Webhook(current).verify(BODY, await headersOf({ current, earlier: [] }))).toEqual(JSON.parse(BODY));
  });

  it("accepts it with either secret during an overlap", async () => {
    const headers = await headersOf({ current, earlier: [previous] });
    for (const secret of [current, previous])
      expect(new Webhook(secret).verify(BODY, headers)).toMatchObject({ job_id: JOB_ID });
  });

  it("refuses another body, another secret and another job's", async () => {
    const headers = await headersOf({ current, earlier: [] });
    expect(() => new Webhook(current).verify(BODY.replace("80", "81").replace("Ž", "Z"), headers)).toThrow();
    expect(() => new Webhook(previous).verify(BODY, headers)).toThrow();
    expect(() => new Webhook(current).verify(BODY, { ...headers, "webhook-id": STRANGER })).toThrow();
  });
});

it("a Chronos receiver that knows one secret verifies the header with it", async () => {
  const secrets = await secretsAt(MASTER, "acct", ROTATED, NOON);
  const headers = await headersOf(secrets);
  const old = given(secrets.earlier.at(-1));
  expect(headers["X-Chronos-Signature"]).toBe(
    `sha256=${byHand(old, `${headers["X-Chronos-Delivery-Id"]}.${headers["X-Chronos-Timestamp"]}.${BODY}`).digest("hex")}`,
  );
});

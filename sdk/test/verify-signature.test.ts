import { createHmac } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { ChronosConfigError, SignatureVerificationError, verifySignature } from "../src/index.ts";

const OLD = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
const NEW = `whsec_${Buffer.alloc(32, 2).toString("base64")}`;
const NOON = new Date("2030-01-01T12:00:00.700Z");
const AT = NOON.getTime() / 1000 - 0.7;
const IDS = { job_id: "9b2d0f0e-8e36-4d2f-9d63-5b7f8e1a0001", execution_id: "9b2d0f0e-8e36-4d2f-9d63-5b7f8e1a0002" };
const BODY = JSON.stringify({
  ...IDS,
  handler: "notify",
  scheduled_for: "2030-01-01T11:59:00.000Z",
  attempt: 2,
  payload: { user_name: "Ünal 😀" },
});

/** Signs as contract §4 says, by other code than the SDK's. `chronos` and `standard` name the keys of each signature. */
function signed({ body = BODY, at = AT, chronos = OLD, standard = [OLD] as string[] } = {}): Record<string, string> {
  const hex = createHmac("sha256", chronos).update(`${IDS.execution_id}.${at}.${body}`).digest("hex");
  const signatures = standard.map((secret) => new Webhook(secret).sign(IDS.job_id, new Date(at * 1000), body));
  return {
    "Content-Type": "application/json",
    "X-Chronos-Delivery-Id": IDS.execution_id,
    "X-Chronos-Timestamp": String(at),
    "X-Chronos-Signature": `sha256=${hex}`,
    "X-Chronos-Job-Id": IDS.job_id,
    "X-Chronos-Attempt": "2",
    "webhook-id": IDS.job_id,
    "webhook-timestamp": String(at),
    "webhook-signature": signatures.join(" "),
  };
}

const without = (headers: Record<string, string>, ...names: string[]) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
const STANDARD = ["webhook-id", "webhook-timestamp", "webhook-signature"];
const verify = (headers: Record<string, string>, body = BODY, secret: string | string[] = OLD, options = {}) =>
  verifySignature({ headers, body }, secret, { now: NOON, ...options });
const failure = async (call: Promise<unknown>) => {
  const error = await call.then(
    () => "verified",
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(SignatureVerificationError);
  return (error as SignatureVerificationError).reason;
};

describe("a genuine delivery", () => {
  it("is returned in camelCase, its payload untouched", async () => {
    expect(await verify(signed())).toEqual({
      jobId: IDS.job_id,
      executionId: IDS.execution_id,
      handler: "notify",
      scheduledFor: new Date("2030-01-01T11:59:00.000Z"),
      attempt: 2,
      payload: { user_name: "Ünal 😀" },
      payloadText: '{"user_name":"Ünal 😀"}',
      signedAt: new Date(AT * 1000),
    });
  });

  it("verifies from a Request and leaves it readable", async () => {
    const request = new Request("https://a.example", { method: "POST", headers: signed(), body: BODY });
    await verifySignature(request, OLD, { now: NOON });
    expect(await request.text()).toBe(BODY);
  });

  it("verifies from Node's headers, Headers, text and bytes alike", async () => {
    const lower = Object.fromEntries(Object.entries(signed()).map(([name, value]) => [name.toLowerCase(), value]));
    for (const headers of [signed(), lower, new Headers(signed())]) {
      for (const body of [BODY, Buffer.from(BODY), new TextEncoder().encode(BODY).buffer]) {
        expect(await verifySignature({ headers, body }, OLD, { now: NOON })).toMatchObject({ attempt: 2 });
      }
    }
  });

  it.each(["\n", "\r\n", " ", "\t", "\ufeff"])(
    "verifies though the secret has white space around it: %j",
    async (space) => {
      for (const secret of [OLD + space, space + OLD, [NEW, `${space}${OLD}${space}`]]) {
        expect(await verify(signed(), BODY, secret)).toMatchObject({ attempt: 2 });
      }
    },
  );

  it("verifies without a Standard Webhooks signature, which the original service does not send", async () => {
    expect(await verify(without(signed(), ...STANDARD))).toMatchObject({ jobId: IDS.job_id });
  });

  it("verifies with old and new secret at every stage of a rotation", async () => {
    const before = signed();
    const during = signed({ chronos: OLD, standard: [NEW, OLD] });
    const after = signed({ chronos: NEW, standard: [NEW] });
    for (const headers of [before, during, after]) {
      expect(await verify(headers, BODY, [OLD, NEW])).toMatchObject({ attempt: 2 });
    }
    expect(await verify(during, BODY, OLD)).toMatchObject({ attempt: 2 });
  });

  it("of a GET says what signed headers say", async () => {
    expect(await verify(signed({ body: "" }), "")).toEqual({
      jobId: IDS.job_id,
      executionId: IDS.execution_id,
      handler: null,
      scheduledFor: null,
      attempt: 2,
      payload: null,
      payloadText: null,
      signedAt: new Date(AT * 1000),
    });
  });
});

describe("what is not genuine", () => {
  it("is refused with another secret, whichever signature it made", async () => {
    expect(await failure(verify(signed(), BODY, NEW))).toBe("no_match");
    expect(await failure(verify(signed({ chronos: NEW })))).toBe("no_match");
    expect(await failure(verify(signed({ standard: [NEW] })))).toBe("no_match");
  });

  it.each([undefined, null, ""])(
    "is refused without its body, and the message says what is missing: %j",
    async (body) => {
      const refused = verifySignature({ headers: signed(), body }, OLD, { now: NOON });
      expect(await failure(refused)).toBe("no_match");
      await expect(refused).rejects.toThrow(/no body was passed .*raw body/);
      await expect(verify(signed(), BODY, NEW)).rejects.toThrow(/^(?!.*no body was passed)/);
    },
  );

  it("is refused with one byte changed in the body, the id or the time", async () => {
    expect(await failure(verify(signed(), BODY.replace("notify", "notifx")))).toBe("no_match");
    expect(await failure(verify({ ...signed(), "X-Chronos-Delivery-Id": IDS.job_id }))).toBe("no_match");
    expect(await failure(verify({ ...signed(), "X-Chronos-Timestamp": String(AT + 1) }))).toBe("no_match");
    expect(await failure(verify({ ...signed(), "webhook-id": IDS.execution_id }))).toBe("no_match");
  });

  it.each(["X-Chronos-Signature", "X-Chronos-Timestamp", "X-Chronos-Delivery-Id", "webhook-id", "webhook-timestamp"])(
    "is refused without %s",
    async (name) => {
      expect(await failure(verify(without(signed(), name)))).toBe("missing_header");
    },
  );

  it("is refused with a Standard Webhooks signature alone", async () => {
    expect(await failure(verify(without(signed(), "X-Chronos-Signature")))).toBe("missing_header");
  });

  it.each([
    ["X-Chronos-Signature", "sha256=00"],
    ["X-Chronos-Signature", `sha1=${"0".repeat(64)}`],
    ["X-Chronos-Timestamp", "1e9"],
    ["X-Chronos-Timestamp", "-1"],
    ["webhook-signature", "v1,***"],
    ["webhook-timestamp", "soon"],
  ])("is refused when %s reads %s", async (name, value) => {
    expect(await failure(verify({ ...signed(), [name]: value }))).toBe("malformed_header");
  });

  it("is refused when a header came twice", async () => {
    const headers = { ...signed(), "X-Chronos-Signature": ["a", "b"] };
    expect(await failure(verifySignature({ headers, body: BODY }, OLD, { now: NOON }))).toBe("missing_header");
  });

  it("is refused when a header stands there in two spellings", async () => {
    const headers = { ...signed(), "x-chronos-signature": signed()["X-Chronos-Signature"] ?? "" };
    expect(await failure(verify(headers))).toBe("missing_header");
  });

  it("is refused when only signatures of unknown versions are there", async () => {
    expect(await failure(verify({ ...signed(), "webhook-signature": "v2,AAAA" }))).toBe("no_match");
  });

  it("is refused as a GET whose job id no signature covers", async () => {
    expect(await failure(verify(without(signed({ body: "" }), ...STANDARD), ""))).toBe("missing_header");
  });

  it.each([
    ["no JSON", "{"],
    ["no object", "7"],
    ["no delivery", "{}"],
    ["another execution's", JSON.stringify({ ...JSON.parse(BODY), execution_id: IDS.job_id })],
    ["another job's", JSON.stringify({ ...JSON.parse(BODY), job_id: IDS.execution_id })],
  ])("is refused although signed when its body is %s", async (_, body) => {
    expect(await failure(verify(signed({ body }), body))).toBe("malformed_body");
  });
});

describe("the time", () => {
  it("may differ by the tolerance either way and not by a second more", async () => {
    for (const at of [AT - 300, AT + 300]) expect(await verify(signed({ at }))).toMatchObject({ attempt: 2 });
    expect(await failure(verify(signed({ at: AT - 301 })))).toBe("timestamp_too_old");
    expect(await failure(verify(signed({ at: AT + 301 })))).toBe("timestamp_too_new");
  });

  it("is held to the tolerance in each signature by itself", async () => {
    const stale = signed({ at: AT - 301 });
    expect(await failure(verify(without(stale, ...STANDARD)))).toBe("timestamp_too_old");
    const staleTrio = Object.fromEntries(STANDARD.map((name) => [name, stale[name] ?? ""]));
    expect(await failure(verify({ ...signed(), ...staleTrio }))).toBe("timestamp_too_old");
  });

  it("is held to the tolerance that is given, and to the clock's now", async () => {
    expect(await failure(verify(signed({ at: AT - 6 }), BODY, OLD, { toleranceSeconds: 5 }))).toBe("timestamp_too_old");
    expect(await failure(verifySignature({ headers: signed(), body: BODY }, OLD))).toMatch(/^timestamp_too_/);
  });
});

describe("a wrong call is a ChronosConfigError", () => {
  it.each([
    ["no secret", "", BODY],
    ["an empty list of secrets", [], BODY],
    ["a secret of white space", " \n", BODY],
    ["a list with an empty secret", [OLD, ""], BODY],
    ["a parsed body", OLD, JSON.parse(BODY)],
    ["a secret that is not whsec_ and base64", "whsec_***", BODY],
  ])("with %s", async (_, secret, body) => {
    const headers = signed(typeof secret === "string" && secret.includes("*") ? { chronos: secret } : {});
    await expect(verifySignature({ headers, body }, secret, { now: NOON })).rejects.toThrow(ChronosConfigError);
  });

  it("with a Request somebody has read already", async () => {
    const request = new Request("https://a.example", { method: "POST", headers: signed(), body: BODY });
    await request.text();
    await expect(verifySignature(request, OLD, { now: NOON })).rejects.toThrow(/before anything else reads it/);
  });

  it.each([{ "Content-Length": String(BODY.length) }, { "transfer-encoding": "chunked" }])(
    "without the body that its headers announce: %j",
    async (announced) => {
      const headers = { ...signed(), ...announced };
      for (const body of [undefined, null, "", new Uint8Array()]) {
        const call = verifySignature({ headers, body }, OLD, { now: NOON });
        await expect(call).rejects.toThrow(ChronosConfigError);
        await expect(call).rejects.toThrow(/has a body and none was passed.*raw body/);
      }
      expect(await verify(headers)).toMatchObject({ attempt: 2 });
    },
  );

  it("but not for a GET that announces an empty one", async () => {
    expect(await verify({ ...signed({ body: "" }), "Content-Length": "0" }, "")).toMatchObject({ payload: null });
  });

  it("with a tolerance or a time that is none", async () => {
    await expect(verify(signed(), BODY, OLD, { toleranceSeconds: -1 })).rejects.toThrow(ChronosConfigError);
    await expect(verify(signed(), BODY, OLD, { toleranceSeconds: Number.NaN })).rejects.toThrow(ChronosConfigError);
    for (const now of [new Date("x"), null, NOON.getTime()]) {
      await expect(verify(signed(), BODY, OLD, { now })).rejects.toThrow(ChronosConfigError);
    }
  });
});

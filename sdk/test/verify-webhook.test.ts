import { createHmac } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { SignatureVerificationError, verifySignature, verifyWebhook } from "../src/index.ts";
import { newFakeJob } from "./fake-job.ts";

const SECRET = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
const OTHER = `whsec_${Buffer.alloc(32, 2).toString("base64")}`;
const NOON = new Date("2030-01-01T12:00:00.700Z");
const AT = NOON.getTime() / 1000 - 0.7;
const EVENT = "9b2d0f0e-8e36-4d2f-9d63-5b7f8e1a0001";
const EXECUTION = "9b2d0f0e-8e36-4d2f-9d63-5b7f8e1a0002";

/** As the service sends an event; the standard signature is made by its own library. */
function sent(body: string, secret = SECRET) {
  const hex = createHmac("sha256", secret).update(`${EXECUTION}.${AT}.${body}`).digest("hex");
  const headers: Record<string, string> = {
    "X-Chronos-Delivery-Id": EXECUTION,
    "X-Chronos-Timestamp": String(AT),
    "X-Chronos-Signature": `sha256=${hex}`,
    "webhook-id": EVENT,
    "webhook-timestamp": String(AT),
    "webhook-signature": new Webhook(secret).sign(EVENT, new Date(AT * 1000), body),
  };
  return { headers, body };
}

const bodyOf = (type: string, data: unknown) => JSON.stringify({ type, timestamp: "2030-01-01T12:00:00.000Z", data });

const job = newFakeJob({ name: "One", handler: "a", payload: { n: 1 } }, AT * 1000);

const verify = (request: Parameters<typeof verifyWebhook>[0], secret: string | string[] = SECRET) =>
  verifyWebhook(request, secret, { now: NOON });

const reasonOf = async (call: Promise<unknown>) => {
  const error = await call.then(
    () => "verified",
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(SignatureVerificationError);
  return (error as SignatureVerificationError).reason;
};

describe("a genuine event", () => {
  it("of a job carries it in camelCase, its payload's text untouched", async () => {
    const body = bodyOf("job.failed", { ...job, payload: 0 }).replace(
      '"payload":0',
      '"payload":{"n": 12345678901234567890}',
    );
    const event = await verify(sent(body));
    expect(event).toMatchObject({
      id: EVENT,
      type: "job.failed",
      timestamp: new Date("2030-01-01T12:00:00.000Z"),
      data: {
        name: "One",
        payloadText: '{"n": 12345678901234567890}',
        callbacks: null,
        scheduledFor: expect.any(Date),
      },
    });
    if (event.type === "job.failed") expect(event.data.lastError).toBeNull();
  });

  it("of a schedule carries it", async () => {
    const schedule = { id: "s", name: "Weekly", missed_runs: 2, created_at: "2030-01-01T12:00:00.000Z" };
    const event = await verify(sent(bodyOf("schedule.missed", schedule)));
    expect(event).toMatchObject({ type: "schedule.missed", data: { name: "Weekly", missedRuns: 2 } });
  });

  it("of a flow carries it, with the moment of the next try", async () => {
    const flow = { key: "mail", paused: true, paused_until: "2030-01-01T12:05:00.000Z", waiting: 7, rate: null };
    const event = await verify(sent(bodyOf("flow.paused", flow)));
    expect(event).toMatchObject({ type: "flow.paused", data: { key: "mail", waiting: 7 } });
    if (event.type === "flow.paused") expect(event.data.pausedUntil).toEqual(new Date("2030-01-01T12:05:00.000Z"));
  });

  it("of a test names the webhook; of a type that is not known yet the data is as it came", async () => {
    expect(await verify(sent(bodyOf("webhook.test", { webhook_id: "w" })))).toMatchObject({ data: { webhookId: "w" } });
    expect(await verify(sent(bodyOf("queue.full", { key_name: "x" })))).toMatchObject({ data: { key_name: "x" } });
  });

  it("verifies from a Request, which stays readable, and with either secret of a rotation", async () => {
    const { headers, body } = sent(bodyOf("webhook.test", { webhook_id: "w" }));
    const request = new Request("https://a.example", { method: "POST", headers, body });
    expect((await verify(request, [OTHER, SECRET])).id).toBe(EVENT);
    expect(await request.text()).toBe(body);
  });
});

describe("what must not be trusted", () => {
  const { headers, body } = sent(bodyOf("webhook.test", { webhook_id: "w" }));

  it.each([
    ["another secret", { headers, body }, OTHER, "no_match"],
    ["another body", { headers, body: body.replace("w", "x") }, SECRET, "no_match"],
    ["another id", { headers: { ...headers, "webhook-id": EXECUTION }, body }, SECRET, "no_match"],
    [
      "no standard signature, which alone covers the id",
      { headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith("webhook-"))), body },
      SECRET,
      "missing_header",
    ],
    [
      "a job's delivery",
      sent(JSON.stringify({ job_id: EVENT, execution_id: EXECUTION, payload: {} })),
      SECRET,
      "malformed_body",
    ],
    ["no JSON", sent("hello"), SECRET, "malformed_body"],
  ])("%s", async (_, request, secret, reason) => {
    expect(await reasonOf(verify(request, secret))).toBe(reason);
  });

  it("an event is no delivery of a job", async () => {
    expect(await reasonOf(verifySignature({ headers, body }, SECRET, { now: NOON }))).toBe("malformed_body");
  });
});

import { describe, expect, it } from "vitest";
import type { Method } from "../../src/domain/job.ts";
import { type JsonText, stringify } from "../../src/domain/json-text.ts";
import { deliveryBody, isReservedHeader, pushBody, pushHeaders, signedText } from "../../src/domain/push-message.ts";
import { JOB_ID, NOON, PUSH, SECOND, waiting } from "./a-job.ts";

const REF = { executionId: "e1", attempt: 2 };
const TIMESTAMP = NOON / SECOND;
const SIGNATURES = { chronos: "c0ffee", standard: ["bmV3", "b2xk"] };

const headersWith = (headers: Record<string, string>) =>
  pushHeaders(waiting(), { ...PUSH, headers }, REF, TIMESTAMP, SIGNATURES);

describe("the body of a push", () => {
  it("is what the contract says, in its order", () => {
    expect(pushBody(waiting(), PUSH, REF)).toBe(
      `{"job_id":"${JOB_ID}",` +
        '"handler":"resize","execution_id":"e1","scheduled_for":"2030-01-01T12:00:00.000Z","attempt":2,' +
        '"payload":{"width":80}}',
    );
  });

  it("has the payload's text as it is", () => {
    const payload = '{"n":12345678901234567890,"n":1.0,"2":1e400,"1":-0}' as JsonText;
    expect(pushBody(waiting({ payload }), PUSH, REF)).toContain(`"payload":${payload}}`);
  });

  it.each<Method>(["POST", "PUT", "PATCH", "DELETE"])("goes with a %s", (method) => {
    expect(pushBody(waiting(), { ...PUSH, method }, REF)).toBe(stringify(deliveryBody(waiting(), REF)));
  });

  it("is empty for a GET", () => {
    expect(pushBody(waiting(), { ...PUSH, method: "GET" }, REF)).toBe("");
  });

  it("says null where there is no handler and no payload", () => {
    expect(deliveryBody(waiting({ handler: null, payload: null }), REF)).toMatchObject({
      handler: null,
      payload: null,
    });
  });
});

describe("the headers of a push", () => {
  const OURS = {
    "Content-Type": "application/json",
    "User-Agent": "chronos.sh/1.0",
    "X-Chronos-Delivery-Id": "e1",
    "X-Chronos-Timestamp": "1893499200",
    "X-Chronos-Signature": "sha256=c0ffee",
    "X-Chronos-Job-Id": JOB_ID,
    "X-Chronos-Attempt": "2",
    "webhook-id": JOB_ID,
    "webhook-timestamp": "1893499200",
    "webhook-signature": "v1,bmV3 v1,b2xk",
  };

  it("are ours and the job's own", () => {
    expect(headersWith({ Authorization: "Bearer x", "X-Tenant": "7" })).toEqual({
      Authorization: "Bearer x",
      "X-Tenant": "7",
      ...OURS,
    });
  });

  it.each(Object.keys(OURS))("%s cannot be overridden, in no spelling", (name) => {
    for (const spelling of [name, name.toLowerCase(), name.toUpperCase()]) {
      const sent = new Headers(headersWith({ [spelling]: "forged" }));
      expect(sent.get(name)).toBe(OURS[name as keyof typeof OURS]);
    }
  });
});

describe("the trace of the request that created the job", () => {
  const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const traced = (headers: Record<string, string>, traceparent: string | null = TRACE) =>
    new Headers(pushHeaders(waiting({ traceparent }), { ...PUSH, headers }, REF, TIMESTAMP, SIGNATURES));

  it("is a header of the push, unless the job has one of its own or there is no trace", () => {
    expect(traced({}).get("traceparent")).toBe(TRACE);
    for (const name of ["traceparent", "TraceParent"]) expect(traced({ [name]: "own" }).get("traceparent")).toBe("own");
    expect(traced({}, null).has("traceparent")).toBe(false);
    expect(traced({ traceparent: "own" }, null).get("traceparent")).toBe("own");
  });
});

describe("a reserved header", () => {
  it.each([
    "Host",
    "content-length",
    "Content-Type",
    "USER-AGENT",
    "Connection",
    "keep-alive",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Connection",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "upgrade",
    "X-Chronos-Signature",
    "x-chronos-anything",
    "WEBHOOK-ID",
    "Webhook-Signature",
    "webhook-anything",
  ])("is %s", (name) => {
    expect(isReservedHeader(name)).toBe(true);
  });

  it.each(["Authorization", "X-Chrono", "webhooks", "Accept", "Content-Language", "Hostname"])("is not %s", (name) => {
    expect(isReservedHeader(name)).toBe(false);
  });
});

it("a signature covers id, timestamp and the raw body", () => {
  expect(signedText("e1", TIMESTAMP, '{"a":1}')).toBe('e1.1893499200.{"a":1}');
  expect(signedText("e1", TIMESTAMP, "")).toBe("e1.1893499200.");
});

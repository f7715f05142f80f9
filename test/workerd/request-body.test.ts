// How a body must come (contract §1): JSON in UTF-8, at most 256 KB, an object.

import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { readBody } from "../../src/http/read-body.ts";
import { newAccount } from "./harness/account.ts";
import { api, app, type Call, ORIGIN, read } from "./harness/api.ts";

const GOOD = JSON.stringify({ name: "a job", handler: "h" });

let key: string;
beforeEach(async () => {
  key = (await newAccount()).key;
});

const post = (call: Call) => api("POST", "/v1/jobs", { key, ...call });

describe("the content type", () => {
  it.each([
    "application/json",
    "APPLICATION/JSON",
    "application/json; charset=utf-8",
    'application/json;charset="UTF-8"',
    "application/json ; charset=utf8",
  ])("may be %s", async (type) => {
    expect((await post({ raw: GOOD, headers: { "Content-Type": type } })).status).toBe(201);
  });

  it.each([
    "text/plain",
    "text/json",
    "application/jsonp",
    "application/vnd.api+json",
    "application/x-www-form-urlencoded",
    "application/json; charset=latin1",
    "application/json; charset=utf-16",
  ])("may not be %s: 400 bad_request", async (type) => {
    const { status, body } = await post({ raw: GOOD, headers: { "Content-Type": type } });
    expect([status, body.code, body.errors]).toEqual([400, "bad_request", []]);
  });

  it("may not be missing", async () => {
    const { status, body } = await post({ raw: new TextEncoder().encode(GOOD), headers: { "Content-Type": "" } });
    expect([status, body.code]).toEqual([400, "bad_request"]);
  });
});

describe("a body that is not JSON is 400 bad_request", () => {
  it.each([
    ["cut off", "{"],
    ["with a comment", '{"name":"x"} // y'],
    ["with a trailing comma", '{"name":"x",}'],
    ["empty but for blanks", "  "],
    ["NaN", '{"name":"x","payload":{"n":NaN}}'],
    ["nested without end", `{"name":"x","handler":"h","payload":{"a":${"[".repeat(5_000)}${"]".repeat(5_000)}}}`],
  ])("%s", async (_, raw) => {
    const { status, body } = await post({ raw });
    expect([status, body.code]).toEqual([400, "bad_request"]);
  });

  it("broken UTF-8", async () => {
    const bytes = new TextEncoder().encode(GOOD);
    bytes[10] = 0xff;
    expect((await post({ raw: bytes })).body.code).toBe("bad_request");
  });

  it("missing altogether", async () => {
    expect((await post({})).body.code).toBe("bad_request");
  });
});

it.each(["[]", '[{"name":"x"}]', '"text"', "1", "true", "null"])(
  "a body that is JSON but no object is 422: %s",
  async (raw) => {
    const { status, body } = await post({ raw });
    expect([status, body.code]).toEqual([422, "validation_error"]);
  },
);

describe("the size", () => {
  /** A valid body of exactly so many bytes: JSON may be padded with blanks. */
  const sized = (bytes: number) => GOOD.padEnd(bytes, " ");

  it("may be 262,144 bytes", async () => {
    expect((await post({ raw: sized(262_144) })).status).toBe(201);
  });

  it("may not be one byte more: 413", async () => {
    const { status, body } = await post({ raw: sized(262_145) });
    expect([status, body.code, body.errors]).toEqual([413, "payload_too_large", []]);
  });

  it("is counted in bytes, not in characters", async () => {
    const body = { name: "a job", handler: "h", payload: { text: "" } };
    body.payload.text = "é".repeat(131_072);
    expect((await post({ body })).status).toBe(413);
  });

  it("is counted while the body comes, when nobody has announced it", async () => {
    let sent = 0;
    const endless = new ReadableStream({
      pull(controller) {
        sent += 65_536;
        controller.enqueue(new Uint8Array(65_536).fill(0x20));
      },
    });
    const request = new Request(`${ORIGIN}/v1/jobs`, {
      method: "POST",
      headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
      body: endless,
    });
    const answer = await read(await app.fetch(request, env, createExecutionContext()));
    expect(answer.status).toBe(413);
    expect(sent).toBeLessThan(1_000_000);
  });
});

describe("a call that takes no body", () => {
  it("is content with an empty object", async () => {
    expect((await api("GET", "/v1/jobs", { key })).status).toBe(200);
    const { status, body } = await api("POST", "/v1/signing-secret/rotate", { key, body: {} });
    expect([status, body.success]).toEqual([200, true]);
  });

  it("refuses a field in it with 422", async () => {
    const id = "00000000-0000-4000-8000-000000000000";
    const { status, body } = await api("POST", `/v1/jobs/${id}/cancel`, { key, body: { reason: "x" } });
    expect([status, body.errors]).toEqual([422, [{ field: "reason", message: expect.any(String) }]]);
  });
});

describe("a length that is no plain promise", () => {
  it.each([
    ["beside a chunked body", { "Content-Length": "5", "Transfer-Encoding": "chunked" }],
    ["below zero", { "Content-Length": "-1" }],
    ["in other words", { "Content-Length": "1e1" }],
    ["missing", {}],
  ])("%s is not believed: 413 as soon as there is too much", async (_, lengths) => {
    let sent = 0;
    const long = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 65_536;
        controller.enqueue(new Uint8Array(65_536).fill(0x20));
        if (sent > 2_000_000) controller.close();
      },
    });
    const headers = { "Content-Type": "application/json", ...lengths };
    const request = new Request(ORIGIN, { method: "POST", headers, body: long });
    await expect(readBody(request)).rejects.toMatchObject({ code: "payload_too_large" });
    expect(sent).toBeLessThan(1_000_000);
  });
});

// What the service asks of a message to /mcp before the protocol has a say, and that a call of a tool is a request like any other.

import { expect, it } from "vitest";
import { signedIn } from "./dashboard/browser.ts";
import { newAccount } from "./harness/account.ts";
import { type Answer, api, type Call } from "./harness/api.ts";

const send = (call: Call): Promise<Answer> =>
  api("POST", "/mcp", { ...call, headers: { Accept: "application/json, text/event-stream", ...call.headers } });

const getOverview = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "getOverview", arguments: {} } };

/** The answer is one event of a stream. */
const resultOf = ({ text }: Answer) => JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? "null").result;

/** So many requests are let through. */
function limiter(count: number) {
  let left = count;
  return { limit: async () => ({ success: left-- > 0 }) };
}

it("a call of a tool counts as a request of its own, and is told when to try again", async () => {
  const { key } = await newAccount();
  const answer = await send({ key, body: getOverview, env: { API_RATE_LIMIT: limiter(2) } });
  expect(resultOf(answer)).toMatchObject({ content: [{ text: expect.stringContaining('"success":true') }] });
  const refused = resultOf(await send({ key, body: getOverview, env: { API_RATE_LIMIT: limiter(1) } }));
  expect(refused.isError).toBe(true);
  expect(refused.content[0].text).toMatch(/\(rate_limit_exceeded\)\nTry again in 10 s\.\nRequest [0-9a-f-]{36}$/);
  const { status, body } = await send({ key, body: getOverview, env: { API_RATE_LIMIT: limiter(0) } });
  expect([status, body.code]).toEqual([429, "rate_limit_exceeded"]);
});

it("a message that is no JSON, or larger than a batch, is refused as everywhere", async () => {
  const { key } = await newAccount();
  const refused = async (call: Call) => {
    const { status, body } = await send({ key, ...call });
    return [status, body.code];
  };
  expect(await refused({ raw: "{" })).toEqual([400, "bad_request"]);
  expect(await refused({ raw: "{}", headers: { "Content-Type": "text/plain" } })).toEqual([400, "bad_request"]);
  expect(await refused({ raw: " ".repeat(1_048_577) })).toEqual([413, "payload_too_large"]);
});

it("the dashboard's session opens nothing: an assistant has a key", async () => {
  const { pair } = await signedIn(await newAccount());
  const headers = { "Sec-Fetch-Site": "same-origin", Cookie: pair };
  const { status, body } = await send({ body: getOverview, headers });
  expect([status, body.code]).toEqual([401, "unauthorized"]);
});

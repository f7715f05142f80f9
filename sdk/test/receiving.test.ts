// The one-line receivers in the frameworks they are for: the real Express, the real Hono, and a web-standard route.

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import express from "express";
import { type Context, Hono } from "hono";
import { describe, expect, it, onTestFinished } from "vitest";
import * as forExpress from "../src/express.ts";
import * as forHono from "../src/hono.ts";
import { ChronosConfigError, type Delivery, NonRetryableError } from "../src/index.ts";
import * as forNext from "../src/next.ts";
import { BODY, NOON, OTHER, SECRET, signed } from "./signed-request.ts";

type Options = forNext.ReceiveOptions;
type Handle = (delivery: Delivery<{ to: string }>) => unknown;
interface Sent {
  status: number;
  text: string;
}
type Route = (request: { headers: Record<string, string>; body: string }) => Promise<Sent>;

const silent: Options = { now: NOON, onError: () => {} };

/** Serves one Express app and posts to it. */
async function served(app: express.Express): Promise<Route> {
  const server = app.listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return async ({ headers, body }) => read(await fetch(`http://127.0.0.1:${port}/`, { method: "POST", headers, body }));
}

const read = async (response: Response): Promise<Sent> => ({ status: response.status, text: await response.text() });

const FRAMEWORKS: Record<string, (handle: Handle, options?: Options, secret?: string) => Promise<Route>> = {
  async express(handle, options = silent, secret = SECRET) {
    const app = express();
    app.post("/", forExpress.onDelivery<{ to: string }>(secret, handle, options));
    return served(app);
  },
  async "express behind express.raw()"(handle, options = silent, secret = SECRET) {
    const app = express();
    app.use(express.raw({ type: "*/*" }));
    app.post("/", forExpress.onDelivery<{ to: string }>(secret, handle, options));
    return served(app);
  },
  async hono(handle, options = silent, secret = SECRET) {
    const app = new Hono();
    app.post("/", forHono.onDelivery<{ to: string }>(secret, handle, options));
    return async (init) => read(await app.request("/", { method: "POST", ...init }));
  },
  async next(handle, options = silent, secret = SECRET) {
    const POST = forNext.onDelivery<{ to: string }>(secret, handle, options);
    return async (init) => read(await POST(new Request("https://app.example/", { method: "POST", ...init })));
  },
};

describe.each(Object.entries(FRAMEWORKS))("%s", (_, route) => {
  it("hands a signed delivery over and answers 204", async () => {
    const seen: unknown[] = [];
    const send = await route((delivery) => seen.push(delivery.payload?.to, delivery.attempt));
    expect(await send(signed())).toEqual({ status: 204, text: "" });
    expect(seen).toEqual(["Ünal 😀", 2]);
  });

  it("answers 401 to a wrong signature, and calls nobody", async () => {
    const send = await route(() => expect.unreachable("it was called"));
    expect(await send({ ...signed(), body: BODY.replace("Ünal", "Eve") })).toEqual({ status: 401, text: "no_match" });
    expect(await send({ headers: { "content-type": "application/json" }, body: "{}" })).toEqual({
      status: 401,
      text: "missing_header",
    });
    const other = await route(() => expect.unreachable("it was called"), silent, OTHER);
    expect(await other(signed())).toMatchObject({ status: 401 });
  });

  it("answers 500 to an error, which the service tries again, and 422 to a final one", async () => {
    const errors: unknown[] = [];
    const options: Options = { ...silent, onError: (error) => errors.push(error) };
    const passing = new Error("no connection", { cause: new Error("refused") });
    const final = new NonRetryableError("no such customer");
    const failing = await route(async () => Promise.reject(passing), options);
    expect(await failing(signed())).toEqual({ status: 500, text: "no connection: refused" });
    const refusing = await route(() => {
      throw final;
    }, options);
    expect(await refusing(signed())).toEqual({ status: 422, text: "no such customer" });
    expect(errors).toEqual([passing, final]);
  });
});

it("lets the function answer for itself", async () => {
  const app = express();
  const options = { now: NOON };
  app.post(
    "/",
    forExpress.onDelivery(
      SECRET,
      (_delivery, _request, response: express.Response) => response.status(202).json({ queued: true }),
      options,
    ),
  );
  const send = await served(app);
  expect(await send(signed())).toEqual({ status: 202, text: '{"queued":true}' });
  const POST = forNext.onDelivery(SECRET, () => Response.json({ queued: true }, { status: 202 }), options);
  const request = new Request("https://app.example/", { method: "POST", ...signed() });
  expect(await read(await POST(request))).toEqual({ status: 202, text: '{"queued":true}' });
});

it("answers 500 and says what to do when the body was parsed before", async () => {
  const errors: Error[] = [];
  const options: Options = { now: NOON, onError: (error) => errors.push(error as Error) };
  const app = express();
  app.use(express.json());
  app.post(
    "/",
    forExpress.onDelivery(SECRET, () => expect.unreachable("it was called"), options),
  );
  const send = await served(app);
  expect(await send(signed())).toMatchObject({ status: 500 });
  expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining("before express.json()")]);
});

it("takes the raw body that a platform has kept beside the parsed one", async () => {
  const app = express();
  app.use(express.json({ verify: (request, _, raw) => Object.assign(request, { rawBody: raw }) }));
  app.post(
    "/",
    forExpress.onDelivery(SECRET, () => {}, silent),
  );
  const send = await served(app);
  expect(await send(signed())).toMatchObject({ status: 204 });
});

it("refuses a body that is larger than any delivery", async () => {
  const app = express();
  app.post(
    "/",
    forExpress.onDelivery(SECRET, () => expect.unreachable("it was called"), silent),
  );
  const send = await served(app);
  const { headers } = signed();
  const outcome = await send({ headers, body: "x".repeat(1024 * 1024 + 1) });
  expect(outcome).toEqual({ status: 401, text: "malformed_body" });
});

it("reads the secret of a Worker from Hono's context, and notices when it is missing", async () => {
  type Env = { Bindings: { SECRET?: string } };
  const errors: unknown[] = [];
  const app = new Hono<Env>();
  app.post(
    "/",
    forHono.onDelivery(
      (c: Context<Env>) => c.env.SECRET,
      (delivery: Delivery<{ to: string }>, c) => c.json({ mailed: delivery.payload?.to }, 202),
      { now: NOON, onError: (error) => errors.push(error) },
    ),
  );
  const request = { method: "POST", ...signed() };
  expect(await read(await app.request("/", request, { SECRET }))).toEqual({
    status: 202,
    text: '{"mailed":"Ünal 😀"}',
  });
  expect((await app.request("/", request, {})).status).toBe(500);
  expect(errors).toEqual([expect.any(ChronosConfigError)]);
});

it("says at the start that the secret is missing, but not while Next.js builds", async () => {
  expect(() => forExpress.onDelivery(undefined, () => {})).toThrow(/signing secret is required/);
  expect(() => forHono.onDelivery("", () => {})).toThrow(/signing secret is required/);
  const errors: unknown[] = [];
  const POST = forNext.onDelivery(undefined, () => {}, { onError: (error) => errors.push(error) });
  expect((await POST(new Request("https://app.example/", { method: "POST", ...signed() }))).status).toBe(500);
  expect(errors).toEqual([expect.any(ChronosConfigError)]);
  expect(() => forNext.onDelivery(SECRET, undefined as never)).toThrow(/must be a function/);
  expect(() => forNext.onDelivery(SECRET, () => {}, { tolerance: 1 } as never)).toThrow(/has no field "tolerance"/);
});

it("reads events as well", async () => {
  const data = { id: "9b2d0f0e-8e36-4d2f-9d63-5b7f8e1a0001", message: "hello" };
  const event = signed(JSON.stringify({ type: "webhook.test", timestamp: "2030-01-01T12:00:00.000Z", data }));
  const seen: string[] = [];
  const handle = ({ type }: forNext.WebhookEvent) => void seen.push(type);
  const app = express();
  app.post("/", forExpress.onWebhook(SECRET, handle, silent));
  const hono = new Hono();
  hono.post("/", forHono.onWebhook(SECRET, handle, silent));
  const POST = forNext.onWebhook(SECRET, handle, silent);
  expect((await (await served(app))(event)).status).toBe(204);
  expect((await hono.request("/", { method: "POST", ...event })).status).toBe(204);
  expect((await POST(new Request("https://app.example/", { method: "POST", ...event }))).status).toBe(204);
  expect(seen).toEqual(["webhook.test", "webhook.test", "webhook.test"]);
});

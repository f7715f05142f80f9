// What real targets answer, byte by byte, and what is kept and said of it: encodings, headers, malformed answers, and
// connections that cannot be made.

import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Receiver, type Reply } from "../harness/receiver.ts";
import type { Service } from "../harness/service.ts";
import { sharedService } from "../harness/shared.ts";
import type { Execution } from "../harness/tenant.ts";

let service: Service;
let receiver: Receiver;
beforeAll(async () => {
  [service, receiver] = await Promise.all([sharedService(), Receiver.listen()]);
});
afterAll(() => receiver?.close());

const raw =
  (head: string, body: Uint8Array | string = ""): Reply =>
  ({ socket }) =>
    void socket?.end(Buffer.concat([Buffer.from(`${head}\r\n\r\n`), Buffer.from(body)]));

const encoded = (encoding: string, body: Uint8Array | string): Reply =>
  raw(`HTTP/1.1 200 OK\r\nContent-Encoding: ${encoding}\r\nContent-Length: ${body.length}`, body);

/** The one attempt of a job that goes there. */
async function attemptAt(url: string): Promise<Execution | undefined> {
  const tenant = await service.newTenant();
  const delivery = { type: "push", http: { url, method: "POST" } };
  const { id } = await tenant.create({ delivery, max_retries: 0, timeout: 20 });
  const [attempt] = await tenant.executions(id);
  if (attempt?.completed_at != null) return attempt;
  await Promise.race([tenant.whenIt("completed", id), tenant.whenIt("failed", id)]);
  return (await tenant.executions(id))[0];
}

const TEXT = "thänks, ".repeat(30);
const whole = { text: TEXT, truncated: false };
const empty = { text: "", truncated: false };
const unreadable = (encoding: string) => ({
  text: `(not readable as text: Content-Encoding ${encoding})`,
  truncated: true,
});

it.concurrent.each([
  ["gzip", gzipSync(TEXT), whole],
  ["GZIP", gzipSync(TEXT), whole],
  ["x-gzip", gzipSync(TEXT), whole],
  ["deflate", deflateSync(TEXT), whole],
  ["DEFLATE", deflateRawSync(TEXT), whole],
  ["br", brotliCompressSync(TEXT), whole],
  ["identity", TEXT, whole],
  ["gzip", "", empty],
  ["GZIP", "", empty],
  ["br", "", empty],
  ["zstd", zstdCompressSync(Buffer.from(TEXT)), unreadable("zstd")],
  ["BR", brotliCompressSync(TEXT), unreadable("BR")],
  ["gzip, gzip", gzipSync(gzipSync(TEXT)), unreadable("gzip, gzip")],
  ["gzip", "no gzip", unreadable("gzip")],
  ["br", "no brotli at all", unreadable("br")],
  ["x-gzip", "no gzip", unreadable("x-gzip")],
])("an answer in %s is read, or said to be unreadable", async (encoding, sent, { text, truncated }) => {
  const body = Buffer.from(sent);
  const attempt = await attemptAt(receiver.target(encoded(encoding, body)).url);
  expect(attempt).toMatchObject({ status: "completed", response: { status: 200, body: text, truncated } });
});

it.concurrent("an empty answer in gzip is whole without a length, too", async () => {
  const chunked = raw("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked", "0\r\n\r\n");
  const attempt = await attemptAt(receiver.target(chunked).url);
  expect(attempt?.response).toMatchObject({ body: "", truncated: false });
});

it.concurrent("an answer in gzip that breaks off is not whole", async () => {
  const cut = raw("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1000");
  const attempt = await attemptAt(receiver.target(cut).url);
  expect(attempt).toMatchObject({ status: "completed", response: { body: "", truncated: true } });
});

it.concurrent("a large header, or a cookie, hides no other header", async () => {
  const lines = [
    "HTTP/1.1 302 Found",
    `A-Policy: ${"x".repeat(5_000)}`,
    `Set-Cookie: ${"x".repeat(5_000)}`,
    "Location: https://elsewhere.example.com/",
    "Retry-After: 7",
    "X-Trace: abc",
    "Content-Length: 0",
  ];
  const attempt = await attemptAt(receiver.target(raw(lines.join("\r\n"))).url);
  expect(attempt?.response?.headers).toEqual({
    location: "https://elsewhere.example.com/",
    "retry-after": "7",
    "x-trace": "abc",
    "content-length": "0",
  });
});

it.concurrent.each([
  ["a fraction", "Retry-After: 600.5", 601],
  ["two values", "Retry-After: 600, 600", 600],
  ["two headers", "Retry-After: 5\r\nRetry-After: 600", 600],
])("no retry comes before Retry-After: %s", async (_, line, seconds) => {
  const tenant = await service.newTenant();
  const target = receiver.target(raw(`HTTP/1.1 503 Busy\r\n${line}\r\nContent-Length: 0`));
  const { id } = await tenant.create(target.delivery());
  const { run_at } = await tenant.whenIt("retrying", id);
  const [attempt] = await tenant.executions(id);
  const waitMs = Date.parse(run_at ?? "") - Date.parse(attempt?.completed_at ?? "");
  expect(waitMs).toBeGreaterThanOrEqual(seconds * 1_000 - 100); // the header was read a moment before the end
  expect(waitMs).toBeLessThanOrEqual(seconds * 1_000);
});

it.concurrent.each([
  ["no HTTP", raw("SSH-2.0-OpenSSH_9.6")],
  ["a status of two digits", raw("HTTP/1.1 99 What\r\nContent-Length: 0")],
  ["a header without a colon", raw("HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 0")],
  ["two lengths", raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3", "abc")],
  ["nothing", ({ socket }) => void socket?.end()],
  ["a reset", ({ socket }) => void socket?.resetAndDestroy()],
] satisfies [string, Reply][])("a malformed answer is called so: %s", async (_, reply) => {
  const attempt = await attemptAt(receiver.target(reply).url);
  expect(attempt?.error).toEqual({ code: "network", message: expect.stringMatching(/not valid HTTP/) });
});

it.concurrent("a refused connection is called so", async () => {
  const attempt = await attemptAt("http://127.0.0.1:1/");
  expect(attempt?.error).toEqual({ code: "network", message: expect.stringMatching(/refused/) });
});

it.concurrent("a TLS handshake that fails is called so", async () => {
  const plain = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  }).listen(0, "127.0.0.1");
  await once(plain, "listening");
  try {
    const attempt = await attemptAt(`https://127.0.0.1:${(plain.address() as AddressInfo).port}/`);
    expect(attempt?.error).toEqual({ code: "network", message: expect.stringMatching(/TLS handshake failed/) });
    expect(attempt?.error?.message).not.toMatch(/internal error|does not resolve/);
  } finally {
    plain.close();
  }
});

it.concurrent("a name that does not resolve is called so", async () => {
  const attempt = await attemptAt("http://nobody.invalid/");
  expect(attempt?.error).toEqual({ code: "network", message: expect.stringMatching(/name does not resolve/) });
  expect(attempt?.error?.message).not.toMatch(/internal error|TLS/);
});

it.concurrent("a header arrives as it was given, byte for byte", async () => {
  const tenant = await service.newTenant();
  const target = receiver.target();
  const value = String.fromCharCode(...Array.from({ length: 94 }, (_, i) => 33 + i));
  await tenant.create(target.delivery("POST", { "X-Own": value, x_under: "a\tb c" }));
  const { headers } = await target.receives();
  expect([headers["x-own"], headers.x_under]).toEqual([value, "a\tb c"]);
});

import { deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { bodyText } from "../../src/delivery/body-text.ts";
import { SECOND } from "./a-job.ts";

const MAX = 4_096;
const GRACE = 5 * SECOND;

type Source = UnderlyingSource<Uint8Array>;

const read = (source: Source, headers: Record<string, string> = {}) =>
  bodyText(new ReadableStream(source), new Headers(headers), MAX, GRACE);
const bytes = (text: string) => new TextEncoder().encode(text);

/** A body that comes in these chunks, and then does what `then` says. */
const body = (
  chunks: string[],
  then: (controller: ReadableStreamDefaultController) => void = (c) => c.close(),
): Source => ({
  start(controller) {
    for (const chunk of chunks) controller.enqueue(bytes(chunk));
    then(controller);
  },
});
const hangs = () => {};

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("of a body are kept", () => {
  it.each([
    ["all of an empty one", [], ""],
    ["all of a short one", ["hel", "", "lo"], "hello"],
    ["exactly 4,096 bytes", ["a".repeat(MAX)], "a".repeat(MAX)],
    ["exactly 4,096 bytes in pieces", ["a".repeat(MAX - 1), "b", ""], `${"a".repeat(MAX - 1)}b`],
  ])("%s, and nothing is missing", async (_, chunks, text) => {
    expect(await read(body(chunks))).toEqual({ text, truncated: false });
  });

  it.each([
    ["in one piece", ["a".repeat(MAX + 1)]],
    ["in two", ["a".repeat(MAX), "b"]],
    ["of many", ["a".repeat(MAX - 1), "a", "b", "c"]],
  ])("4,096 bytes when there is one more, %s", async (_, chunks) => {
    expect(await read(body(chunks))).toEqual({ text: "a".repeat(MAX), truncated: true });
  });

  it("none where there is no body", async () => {
    expect(await bodyText(null, new Headers(), MAX, GRACE)).toEqual({ text: "", truncated: false });
  });
});

describe("a character of several bytes", () => {
  it("is read across two chunks", async () => {
    const [first, ...rest] = bytes("ř");
    const split: Source = {
      start(controller) {
        controller.enqueue(Uint8Array.of(first ?? 0));
        controller.enqueue(Uint8Array.from(rest));
        controller.close();
      },
    };
    expect(await read(split)).toEqual({ text: "ř", truncated: false });
  });

  it.each([
    ["ř", 1],
    ["€", 1],
    ["€", 2],
    ["😀", 3],
  ])("at the cut is left out rather than broken: %s after %i bytes", async (character, kept) => {
    const before = "a".repeat(MAX - kept);
    expect(await read(body([before + character]))).toEqual({ text: before, truncated: true });
  });

  it("that fits to the byte is kept", async () => {
    const text = `${"a".repeat(MAX - 4)}😀`;
    expect(await read(body([`${text}b`]))).toEqual({ text, truncated: true });
  });

  it("that the target itself broke off is shown as broken", async () => {
    const broken: Source = {
      start(controller) {
        controller.enqueue(bytes("€").subarray(0, 2));
        controller.close();
      },
    };
    expect(await read(broken)).toEqual({ text: "\uFFFD", truncated: false });
  });
});

describe("a body that does not end", () => {
  it("is waited for as long as it may take, and not a millisecond longer", async () => {
    const settled = vi.fn();
    const head = read(body(["some"], hangs)).finally(settled);
    await vi.advanceTimersByTimeAsync(GRACE - 1);
    expect(settled).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(await head).toEqual({ text: "some", truncated: true });
  });

  it("of exactly 4,096 bytes is not known to be whole", async () => {
    const head = read(body(["a".repeat(MAX)], hangs));
    await vi.advanceTimersByTimeAsync(GRACE);
    expect(await head).toEqual({ text: "a".repeat(MAX), truncated: true });
  });

  it.each([
    ["when enough has come", "a".repeat(MAX + 1), 0],
    ["when its time is up", "a", GRACE],
  ])("is let go of %s", async (_, chunk, afterMs) => {
    const cancel = vi.fn();
    const head = read({ ...body([chunk], hangs), cancel });
    await vi.advanceTimersByTimeAsync(afterMs);
    await head;
    expect(cancel).toHaveBeenCalledOnce();
  });

  it("leaves no timer behind when it ends after all", async () => {
    await read(body(["done"]));
    expect(vi.getTimerCount()).toBe(0);
  });
});

const sent = (...chunks: Uint8Array[]): Source => ({
  start(controller) {
    for (const chunk of chunks) controller.enqueue(chunk);
    controller.close();
  },
});
function breaksAfter(chunk: Uint8Array): Source {
  let pulls = 0;
  return {
    pull(controller) {
      if (pulls++ === 0) controller.enqueue(chunk);
      else controller.error(new Error("connection reset"));
    },
  };
}
const TEXT = "café ".repeat(20);

describe("a content encoding that the platform leaves in place", () => {
  it.each([
    ["GZIP", gzipSync(TEXT)],
    ["Gzip", gzipSync(TEXT)],
    ["x-gzip", gzipSync(TEXT)],
    ["X-GZip", gzipSync(TEXT)],
    ["identity, gzip", gzipSync(TEXT)],
    ["deflate", deflateSync(TEXT)],
    ["Deflate", deflateSync(TEXT)],
    ["deflate", deflateRawSync(TEXT)],
    ["identity", bytes(TEXT)],
    ["IDENTITY", bytes(TEXT)],
  ])("is undone: %s", async (encoding, body) => {
    expect(await read(sent(body), { "content-encoding": encoding })).toEqual({ text: TEXT, truncated: false });
  });

  it("is undone in whatever pieces the body comes", async () => {
    const pieces = [...gzipSync(TEXT)].map((byte) => Uint8Array.of(byte));
    expect(await read(sent(...pieces), { "content-encoding": "x-gzip" })).toEqual({ text: TEXT, truncated: false });
  });

  it.each(["gzip", "br", "GZIP", "deflate", "zstd", "gzip, gzip"])(
    "of an empty body changes nothing: %s",
    async (encoding) => {
      expect(await read(sent(), { "content-encoding": encoding })).toEqual({ text: "", truncated: false });
    },
  );

  it("keeps 4,096 bytes that do not compress, whole", async () => {
    const text = Array.from({ length: MAX }, (_, i) => String.fromCharCode(33 + ((i * i * 7919 + i * 31) % 94))).join(
      "",
    );
    const raw = gzipSync(text, { level: 0 });
    expect(raw.byteLength).toBeGreaterThan(MAX);
    expect(await read(sent(raw), { "content-encoding": "GZIP" })).toEqual({ text, truncated: false });
  });

  it("keeps 4,096 bytes of a bomb", async () => {
    const bomb = gzipSync(Buffer.alloc(20_000_000, "x"));
    const head = await read(sent(bomb, bomb), { "content-encoding": "GZIP" });
    expect(head).toEqual({ text: "x".repeat(MAX), truncated: true });
  });

  it("keeps what could be read of a body that broke off", async () => {
    const whole = TEXT.repeat(50);
    const half = gzipSync(whole, { level: 0 }).subarray(0, 1_000);
    const { text, truncated } = await read(breaksAfter(half), { "content-encoding": "GZIP" });
    expect(text.length).toBeGreaterThan(800);
    expect([whole.startsWith(text), truncated]).toEqual([true, true]);
  });
});

describe("a body that cannot be read says so in place of garbage", () => {
  it.each([
    ["zstd", zstdCompressSync(bytes(TEXT))],
    ["BR", bytes("\u0001\u0002")],
    ["gzip, gzip", gzipSync(gzipSync(TEXT))],
    ["made-up", bytes(TEXT)],
    ["GZIP", bytes("no gzip at all")],
    ["deflate", bytes("no deflate at all")],
  ])("%s", async (encoding, body) => {
    const text = `(not readable as text: Content-Encoding ${encoding})`;
    expect(await read(sent(body), { "content-encoding": encoding })).toEqual({ text, truncated: true });
  });

  it("and so one that the platform could not decode", async () => {
    const fails = body([], (c) => c.error(new TypeError("Gzip decompression failed.")));
    const text = "(not readable as text: Content-Encoding gzip)";
    expect(await read(fails, { "content-encoding": "gzip" })).toEqual({ text, truncated: true });
  });

  it("with no more than 4 KB of the encoding's name", async () => {
    const { text } = await read(sent(bytes("x")), { "content-encoding": "z".repeat(10_000) });
    expect(text).toHaveLength(MAX);
  });
});

describe("a gzip body of no bytes, which the platform takes for a broken one", () => {
  const endsEarly = () => body([], (c) => c.error(new TypeError("Gzip compressed stream ended prematurely.")));
  it.each([
    ["with a length of 0", { "content-length": "0" }, false],
    ["with no length", {}, false],
    ["with a length that did not come", { "content-length": "15" }, true],
  ])("%s", async (_, headers, truncated) => {
    expect(await read(endsEarly(), { "content-encoding": "gzip", ...headers })).toEqual({ text: "", truncated });
  });

  it("is not one that broke off", async () => {
    const breaks = body([], (c) => c.error(new Error("Network connection lost.")));
    expect(await read(breaks, { "content-encoding": "gzip" })).toEqual({ text: "", truncated: true });
  });
});

describe("a charset", () => {
  it.each([
    ["text/plain; charset=iso-8859-1", [0x63, 0x61, 0x66, 0xe9], "café"],
    ['text/html;Charset="Windows-1252"', [0x80], "€"],
    ["text/plain; charset=utf-16le", [0x61, 0, 0x3d, 0xd8, 0x00, 0xde], "a😀"],
    ["text/plain; charset=utf-16le", [0x61, 0, 0x3d, 0xd8], "a\ufffd"],
    ["text/plain; charset=nobody-knows", [0x63, 0xc3, 0xa9], "cé"],
    ["text/plain", [0xff, 0x61], "\ufffda"],
  ])("is read: %s", async (type, raw, text) => {
    expect(await read(sent(Uint8Array.from(raw)), { "content-type": type })).toEqual({ text, truncated: false });
  });

  it("that grows in UTF-8 is cut to 4,096 bytes, at a character", async () => {
    const head = await read(sent(new Uint8Array(MAX).fill(0xe9)), { "content-type": "text/plain; charset=latin1" });
    expect(head).toEqual({ text: "é".repeat(MAX / 2), truncated: true });
    const binary = await read(sent(new Uint8Array(MAX).fill(0xff)));
    expect(binary).toEqual({ text: "\ufffd".repeat(Math.floor(MAX / 3)), truncated: true });
  });
});

it("a body that breaks keeps what came before: the status stands", async () => {
  expect(await read(breaksAfter(bytes("half of")))).toEqual({ text: "half of", truncated: true });
});

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readHead } from "../../src/delivery/read-head.ts";
import { SECOND } from "./a-job.ts";

const MAX = 4_096;
const GRACE = 5 * SECOND;

type Source = UnderlyingSource<Uint8Array>;

const read = (source: Source) => readHead(new ReadableStream(source), MAX, GRACE);
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
    expect(await readHead(null, MAX, GRACE)).toEqual({ text: "", truncated: false });
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

it("a body that breaks keeps what came before: the status stands", async () => {
  let pulls = 0;
  const breaks: Source = {
    pull(controller) {
      if (pulls++ === 0) controller.enqueue(bytes("half of"));
      else controller.error(new Error("connection reset"));
    },
  };
  expect(await read(breaks)).toEqual({ text: "half of", truncated: true });
});

// Bodies that never come to their end (contract §1: 400 `bad_request`).

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BODY_DEADLINE_MS, readBody } from "../../src/http/read-body.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A request whose body is told piece by piece; it announces a length, or none. */
function upload(start: (controller: ReadableStreamDefaultController<Uint8Array>) => void, length?: number) {
  const headers = {
    "Content-Type": "application/json",
    ...(length !== undefined && { "Content-Length": `${length}` }),
  };
  const init = { method: "POST", headers, body: new ReadableStream({ start }), duplex: "half" };
  return readBody(new Request("https://chronos.test/v1/jobs", init)).then(
    (body) => ({ body }),
    (error) => ({ code: error.code, message: error.message }),
  );
}

const bytes = (text: string) => new TextEncoder().encode(text);

describe.each([
  ["with a length", 100],
  ["in chunks", undefined],
])("a body %s", (_, length) => {
  it("that trickles is refused at the deadline, and not a millisecond earlier", async () => {
    const settled = vi.fn();
    const reading = upload((controller) => {
      controller.enqueue(bytes('{"name":"'));
      setInterval(() => controller.enqueue(bytes("x")), 1_000);
    }, length);
    reading.then(settled);
    await vi.advanceTimersByTimeAsync(BODY_DEADLINE_MS - 1);
    expect(settled).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(await reading).toEqual({ code: "bad_request", message: "The body must arrive within 30 seconds." });
  });

  it("that comes at the last moment is read, and no timer is left", async () => {
    const reading = upload((controller) => {
      controller.enqueue(bytes('{"name":'));
      setTimeout(() => {
        controller.enqueue(bytes('"late"}'));
        controller.close();
      }, BODY_DEADLINE_MS - 1);
    }, length);
    await vi.advanceTimersByTimeAsync(BODY_DEADLINE_MS - 1);
    expect(await reading).toEqual({ body: { text: '{"name":"late"}', value: { name: "late" } } });
    expect(vi.getTimerCount()).toBe(0);
  });

  it("that breaks off is refused as the client's fault", async () => {
    const reading = upload((controller) => {
      controller.enqueue(bytes('{"name":'));
      controller.error(new TypeError("Network connection lost."));
    }, length);
    expect(await reading).toEqual({
      code: "bad_request",
      message: "The body is incomplete, or its chunks are malformed.",
    });
  });
});

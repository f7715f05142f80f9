// The beginning of a body that may be huge, slow or endless: what comes in time and fits, and then it is let go.

export interface Head {
  readonly bytes: Uint8Array;
  /** How reading ended: at the body's end, before it (too long or too slow), or by this fault. */
  readonly end: "whole" | "cut" | { readonly fault: unknown };
}

/**
 * @param maxBytes how much is kept
 * @param graceMs how long it may take
 */
export async function readHead(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
  graceMs: number,
): Promise<Head> {
  if (body === null) return { bytes: new Uint8Array(), end: "whole" };
  const reader = body.getReader();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), graceMs);
  });
  const bytes = new Uint8Array(maxBytes);
  let length = 0;
  let end: Head["end"] = "cut";
  try {
    for (;;) {
      const next = await Promise.race([reader.read(), late]);
      if (next === "late") break;
      if (next.done) {
        end = "whole";
        break;
      }
      const fitting = next.value.subarray(0, maxBytes - length);
      bytes.set(fitting, length);
      length += fitting.byteLength;
      if (fitting.byteLength < next.value.byteLength) break;
    }
  } catch (fault) {
    end = { fault }; // what came is kept
  } finally {
    clearTimeout(timer);
    reader.cancel().catch(() => {});
  }
  return { bytes: bytes.subarray(0, length), end };
}

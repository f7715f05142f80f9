// The beginning of a body that may be huge, slow or endless: what comes in time and fits, and then it is let go.

export interface Head {
  readonly text: string;
  /** There was more, or it did not come. */
  readonly truncated: boolean;
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
  if (body === null) return { text: "", truncated: false };
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), graceMs);
  });
  let text = "";
  let left = maxBytes;
  let truncated = true;
  try {
    for (;;) {
      const next = await Promise.race([reader.read(), late]);
      if (next === "late") break;
      if (next.done) {
        truncated = false;
        break;
      }
      text += decoder.decode(next.value.subarray(0, left), { stream: true });
      if (next.value.byteLength > left) break;
      left -= next.value.byteLength;
    }
  } catch {
    // The target broke off in the middle of its body: what came is kept, the status stands.
  } finally {
    clearTimeout(timer);
    reader.cancel().catch(() => {});
  }
  return { text: text + (truncated ? "" : decoder.decode()), truncated };
}

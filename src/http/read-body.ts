// Reads a JSON body: no more than may be sent, in no more time than it may take, nothing but JSON.

import { ApiError } from "./errors.ts";

const MAX_BODY_BYTES = 262_144;

/** Of a request that carries up to a hundred things. */
export const MAX_BATCH_BYTES = 1_048_576;

/** Counted from when we start to read. The largest body needs 9 KB/s for it, which a poor mobile connection has. */
export const BODY_DEADLINE_MS = 30_000;

/** No legitimate body nests deeper, and parsing it again could exhaust somebody's stack. */
const MAX_DEPTH = 200;

/** A body as it was sent, and what `JSON.parse` makes of it. */
export interface JsonBody {
  readonly text: string;
  readonly value: unknown;
}

/**
 * The body; undefined when there is none.
 *
 * @throws ApiError `payload_too_large` or `bad_request`
 */
export async function readBody(request: Request, maxBytes = MAX_BODY_BYTES): Promise<JsonBody | undefined> {
  if (!request.body) return undefined;
  const bytes = await arrived(request, maxBytes);
  if (bytes.byteLength === 0) return undefined;
  const type = request.headers.get("Content-Type") ?? "";
  if (!/^\s*application\/json\s*(;|$)/i.test(type)) throw notJson("Send the body as `Content-Type: application/json`.");
  const charset = /charset\s*=\s*"?([^\s;"]+)/i.exec(type)?.[1] ?? "utf-8";
  if (!/^utf-?8$/i.test(charset)) throw notJson("Send the body in UTF-8.");
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
    return { text, value: shallow(JSON.parse(text)) };
  } catch (fault) {
    throw fault instanceof ApiError ? fault : notJson("The body is not valid JSON.");
  }
}

/** @throws ApiError when the body is too large or too slow, when its chunks are malformed, and when its client has gone */
async function arrived(request: Request, maxBytes: number): Promise<Uint8Array> {
  let deadline: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const refusal = new ApiError("bad_request", `The body must arrive within ${BODY_DEADLINE_MS / 1_000} seconds.`);
    deadline = setTimeout(() => reject(refusal), BODY_DEADLINE_MS);
  });
  try {
    return await Promise.race([readBytes(request, maxBytes), late]);
  } catch (fault) {
    if (fault instanceof ApiError) throw fault;
    throw new ApiError("bad_request", "The body is incomplete, or its chunks are malformed.");
  } finally {
    clearTimeout(deadline);
  }
}

/** The platform holds a body to the length it announces; whatever announces none in plain words is counted as it comes. */
async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  const announced = request.headers.get("Content-Length") ?? "";
  const isPlain = /^\d+$/.test(announced) && !request.headers.has("Transfer-Encoding");
  if (Number(announced) > maxBytes) throw tooLarge(maxBytes);
  if (isPlain) return new Uint8Array(await request.arrayBuffer());
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

function shallow(json: unknown): unknown {
  let level: unknown[] = [json];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) throw notJson(`The body is nested more than ${MAX_DEPTH} levels deep.`);
    level = level.flatMap((value) => (typeof value === "object" && value !== null ? Object.values(value) : []));
  }
  return json;
}

const notJson = (message: string) => new ApiError("bad_request", message);
const tooLarge = (maxBytes: number) => new ApiError("payload_too_large", `The body may be at most ${maxBytes} bytes.`);

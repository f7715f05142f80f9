// Reads a JSON body: no more than may be sent, nothing but JSON.

import { ApiError } from "./errors.ts";

export const MAX_BODY_BYTES = 262_144;

/** Of a request that carries up to a hundred things. */
export const MAX_BATCH_BYTES = 1_048_576;

/** Deeper than this nobody means it, and printing it again could exhaust the stack. */
const MAX_DEPTH = 200;

/**
 * The parsed body; undefined when there is none.
 *
 * @throws ApiError `payload_too_large` or `bad_request`
 */
export async function readBody(request: Request, maxBytes = MAX_BODY_BYTES): Promise<unknown> {
  const bytes = await readBytes(request, maxBytes);
  if (bytes.byteLength === 0) return undefined;
  const type = request.headers.get("Content-Type") ?? "";
  if (!/^\s*application\/json\s*(;|$)/i.test(type)) throw notJson("Send the body as `Content-Type: application/json`.");
  const charset = /charset\s*=\s*"?([^\s;"]+)/i.exec(type)?.[1] ?? "utf-8";
  if (!/^utf-?8$/i.test(charset)) throw notJson("Send the body in UTF-8.");
  try {
    return sound(JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes)));
  } catch (fault) {
    throw fault instanceof ApiError ? fault : notJson("The body is not valid JSON.");
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

/** What JSON can say and we could not give back as it was sent: numbers beyond a double, nesting without end. */
function sound(json: unknown): unknown {
  let level: unknown[] = [json];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) throw notJson(`The body is nested more than ${MAX_DEPTH} levels deep.`);
    if (level.some((value) => typeof value === "number" && !Number.isFinite(value)))
      throw notJson("The body holds a number that is out of range.");
    level = level.flatMap((value) => (typeof value === "object" && value !== null ? Object.values(value) : []));
  }
  return json;
}

const notJson = (message: string) => new ApiError("bad_request", message);
const tooLarge = (maxBytes: number) => new ApiError("payload_too_large", `The body may be at most ${maxBytes} bytes.`);

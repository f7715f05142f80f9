// Reading an answer in whatever way its fetch offers: web streams, Node.js streams, or methods alone. The one that is
// used has done the work already, so an answer that cannot be read must not look like one that never came.

import { ChronosConfigError } from "./errors.ts";
import type { FetchResponse } from "./fetch-like.ts";

/** The whole body; `begun` is called once more than spaces have come. */
export async function readBody(response: FetchResponse, begun: () => void): Promise<string> {
  const { body } = response;
  if (response.bodyUsed === true || (isObject(body) && body.locked === true)) {
    throw new ChronosConfigError("The fetch option has read an answer before the SDK could: let it read a clone()");
  }
  const chunks = chunksOf(body);
  if (chunks === null) {
    begun();
    return readAtOnce(response);
  }
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of chunks) {
    text += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    if (text.trimStart() !== "") begun();
  }
  return text + decoder.decode();
}

type Chunk = Uint8Array<ArrayBuffer> | string;

/** Null when the body is none that comes in pieces. */
function chunksOf(body: unknown): AsyncIterable<Chunk> | null {
  if (isWebStream(body)) return readerChunks(body);
  return isAsyncIterable(body) ? body : null;
}

const isWebStream = (body: unknown): body is ReadableStream<Chunk> =>
  isObject(body) && typeof body.getReader === "function";

const isAsyncIterable = (body: unknown): body is AsyncIterable<Chunk> => isObject(body) && Symbol.asyncIterator in body;

async function* readerChunks(body: ReadableStream<Chunk>): AsyncGenerator<Chunk> {
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

async function readAtOnce(response: FetchResponse): Promise<string> {
  const { body } = response;
  if (typeof response.text === "function") return response.text();
  if (typeof response.arrayBuffer === "function") return new TextDecoder().decode(await response.arrayBuffer());
  if (typeof response.json === "function") return JSON.stringify(await response.json()) ?? "";
  if (typeof body === "string") return body;
  throw new ChronosConfigError(
    "The fetch option gives answers that cannot be read: they need a body that is a stream, or text(), arrayBuffer() or json()",
  );
}

function isObject(value: unknown): value is Record<PropertyKey, unknown> {
  return typeof value === "object" && value !== null;
}

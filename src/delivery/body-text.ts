// The beginning of an answer's body as text: its content encoding is undone, its charset is read.

import { cutToBytes } from "../domain/text.ts";
import { type Head, readHead } from "./read-head.ts";

export interface BodyText {
  readonly text: string;
  /** There was more, it did not come, or it cannot be read. */
  readonly truncated: boolean;
}

/** What gzip adds to a body that does not compress: its header, trailer and block marks. */
const ENCODING_OVERHEAD_BYTES = 1_024;

/** Inflating what is in memory takes no time that matters. */
const INFLATE_MS = 1_000;

/**
 * @param headers the answer's
 * @param maxBytes how much is kept, as UTF-8
 * @param graceMs how long the body may take
 */
export async function bodyText(
  body: ReadableStream<Uint8Array> | null,
  headers: Headers,
  maxBytes: number,
  graceMs: number,
): Promise<BodyText> {
  const encoding = headers.get("content-encoding") ?? "";
  const head = await decodedHead(body, encoding, maxBytes, graceMs);
  if (head === "unreadable")
    return { text: cutToBytes(`(not readable as text: Content-Encoding ${encoding})`, maxBytes), truncated: true };
  const isWhole = head.end === "whole" || isEmpty(head, headers);
  const text = decoderOf(headers).decode(head.bytes, { stream: !isWhole }); // half a character at the cut is left out
  const kept = cutToBytes(text, maxBytes); // other charsets grow in UTF-8
  return { text: kept, truncated: !isWhole || kept.length < text.length };
}

async function decodedHead(
  body: ReadableStream<Uint8Array> | null,
  encoding: string,
  maxBytes: number,
  graceMs: number,
): Promise<Head | "unreadable"> {
  const codings = codingsOf(encoding);
  if (codings.length === 0) {
    const head = await readHead(body, maxBytes, graceMs);
    return head.bytes.byteLength === 0 && isNoSuchEncoding(head) ? "unreadable" : head;
  }
  const encoded = await readHead(body, maxBytes + ENCODING_OVERHEAD_BYTES, graceMs);
  if (encoded.bytes.byteLength === 0) return encoded;
  const format = codings.length === 1 ? formatOf(codings[0], encoded.bytes) : undefined;
  if (!format) return "unreadable";
  // At most a thousand times as much as went in (5 MB), for a moment.
  const inflated = new Blob([encoded.bytes]).stream().pipeThrough(new DecompressionStream(format));
  const head = await readHead(inflated, maxBytes, INFLATE_MS);
  if (encoded.end !== "whole") return { ...head, end: "cut" };
  return head.bytes.byteLength === 0 && head.end !== "whole" ? "unreadable" : head;
}

/** The encodings that the platform leaves in place: it undoes these two itself, in exactly this spelling. */
function codingsOf(encoding: string): string[] {
  if (encoding === "gzip" || encoding === "br") return [];
  const codings = encoding.split(",").map((coding) => coding.trim().toLowerCase());
  return codings.filter((coding) => coding !== "" && coding !== "identity");
}

type Format = "gzip" | "deflate" | "deflate-raw";

/** The platform has no Brotli or Zstandard to call. */
function formatOf(coding: string | undefined, [first = 0, second = 0]: Uint8Array): Format | undefined {
  if (coding === "gzip" || coding === "x-gzip") return "gzip";
  // Many servers send bare deflate where HTTP means zlib's wrapping of it.
  if (coding === "deflate") return first % 16 === 8 && (first * 256 + second) % 31 === 0 ? "deflate" : "deflate-raw";
  return undefined;
}

/** The body is not what its Content-Encoding says: the platform has no other sign of it than its words. */
const isNoSuchEncoding = ({ end }: Head): boolean =>
  typeof end === "object" && /decompression failed/i.test(String(end.fault));

/** A body of no bytes at all under `gzip` or `br` is a fault to the platform, though many servers send it. */
function isEmpty({ bytes, end }: Head, headers: Headers): boolean {
  if (bytes.byteLength > 0 || typeof end !== "object") return false;
  return /ended prematurely/i.test(String(end.fault)) && Number(headers.get("content-length") ?? 0) === 0;
}

function decoderOf(headers: Headers): TextDecoder {
  const charset = /charset\s*=\s*"?([^\s;"]+)/i.exec(headers.get("content-type") ?? "")?.[1] ?? "utf-8";
  try {
    return new TextDecoder(charset);
  } catch {
    return new TextDecoder(); // nobody knows that charset
  }
}

// WebCrypto without threads: what Node computes at once, as a promise that is there already.

import { createHash, createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import type { Chance } from "./chance.ts";

interface Key {
  readonly bytes: Uint8Array;
}

type Digest = "SHA-256" | "SHA-1";
const NODE_NAMES = { "SHA-256": "sha256", "SHA-1": "sha1" } as const;

const bytesOf = (data: ArrayBuffer | ArrayBufferView): Uint8Array =>
  data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

const bufferOf = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;

/** The `crypto` of an isolate. */
export function webCrypto(chance: Chance) {
  /** By what they were derived from: an account's secrets are asked for with each of its deliveries. */
  const derived = new Map<string, ArrayBuffer>();
  return {
    getRandomValues<T extends Uint8Array>(into: T): T {
      chance.fill(into);
      return into;
    },
    randomUUID(): string {
      const bytes = new Uint8Array(16);
      chance.fill(bytes);
      bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
      bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
      const hex = Buffer.from(bytes).toString("hex");
      return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
    },
    subtle: {
      async digest(name: Digest, data: ArrayBuffer | ArrayBufferView): Promise<ArrayBuffer> {
        return bufferOf(createHash(NODE_NAMES[name]).update(bytesOf(data)).digest());
      },
      async importKey(_format: "raw", data: ArrayBuffer | ArrayBufferView): Promise<Key> {
        return { bytes: Uint8Array.from(bytesOf(data)) };
      },
      async sign(_name: "HMAC", { bytes }: Key, data: ArrayBuffer | ArrayBufferView): Promise<ArrayBuffer> {
        return bufferOf(createHmac("sha256", bytes).update(bytesOf(data)).digest());
      },
      async deriveBits(
        { salt, info }: { salt: Uint8Array; info: Uint8Array },
        { bytes }: Key,
        bits: number,
      ): Promise<ArrayBuffer> {
        const from = [bytes, salt, info].map((part) => Buffer.from(part).toString("hex")).join(" ");
        const made = derived.get(`${from} ${bits}`) ?? hkdfSync("sha256", bytes, salt, info, bits / 8);
        derived.set(`${from} ${bits}`, made);
        return made.slice(0);
      },
      timingSafeEqual: (a: ArrayBuffer, b: ArrayBuffer): boolean =>
        a.byteLength === b.byteLength && timingSafeEqual(new Uint8Array(a), new Uint8Array(b)),
    },
  };
}

// API keys: how they are made, and the hash that is all we keep of one.

const PREFIX = "chrns_";
const FORM = /^chrns_[A-Za-z0-9_-]{43}$/;
const SHOWN = 12;

export interface NewKey {
  /** The key itself: shown once, never stored. */
  readonly key: string;
  readonly hash: string;
  /** Its first characters, to tell keys apart. */
  readonly prefix: string;
}

/** @param random 32 random bytes */
export async function makeKey(random: Uint8Array): Promise<NewKey> {
  const key = PREFIX + base64Url(random);
  return { key, hash: await hashOf(key), prefix: key.slice(0, SHOWN) };
}

/** Whether a text could be a key at all: what is not costs no look-up. */
export const isKeyShaped = (text: string): boolean => FORM.test(text);

/** SHA-256 in hex. A key has 256 random bits: a plain hash is as good as a slow one. */
export async function hashOf(text: string): Promise<string> {
  return Array.from(new Uint8Array(await digest(text)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Compares two texts in a time that does not tell where they differ. */
export async function isSame(a: string, b: string): Promise<boolean> {
  const [one, other] = await Promise.all([digest(a), digest(b)]);
  return crypto.subtle.timingSafeEqual(one, other);
}

const digest = (text: string): Promise<ArrayBuffer> => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));

const base64Url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

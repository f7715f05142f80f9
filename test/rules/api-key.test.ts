// How keys are made and hashed. Their comparison in constant time is Cloudflare's own and is tested in workerd.

import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { hashOf, isKeyShaped, makeKey } from "../../src/accounts/api-key.ts";

const RANDOM = Uint8Array.from({ length: 32 }, (_, i) => 255 - i);

describe("an API key", () => {
  it("is its random bytes, in a form of its own", async () => {
    const { key } = await makeKey(RANDOM);
    expect(key).toBe(`chrns_${Buffer.from(RANDOM).toString("base64url")}`);
    expect(isKeyShaped(key)).toBe(true);
  });

  it("is kept as a SHA-256 and a beginning that gives nothing away", async () => {
    const { key, hash, prefix } = await makeKey(RANDOM);
    expect(hash).toBe(createHash("sha256").update(key).digest("hex"));
    expect(await hashOf(key)).toBe(hash);
    expect(prefix).toBe(key.slice(0, "chrns_".length + 6));
  });

  it.each([
    ["nothing", ""],
    ["a prefix alone", "chrns_"],
    ["one character less", `chrns_${"a".repeat(42)}`],
    ["one character more", `chrns_${"a".repeat(44)}`],
    ["another prefix", `chrnz_${"a".repeat(43)}`],
    ["another alphabet", `chrns_${"a".repeat(42)}+`],
    ["a line after it", `chrns_${"a".repeat(43)}\n`],
  ])("is not %s", (_, text) => {
    expect(isKeyShaped(text)).toBe(false);
  });
});

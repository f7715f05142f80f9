import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canExist, createdAtOf, ID_RANDOM_BYTES, idAt, lowestIdAt } from "../../src/domain/ids.ts";

const NOON = Date.UTC(2030, 0, 1, 12);
const moments = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const random = fc.uint8Array({ minLength: ID_RANDOM_BYTES, maxLength: ID_RANDOM_BYTES });

describe("an id", () => {
  it("is a UUID of version 4 whose eight bits behind the version are 0", () => {
    const form = /^[0-9a-f]{8}-[0-9a-f]{4}-400[0-9a-f]-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    fc.assert(
      fc.property(moments, random, (at, bytes) => {
        expect(idAt(at, bytes)).toMatch(form);
      }),
    );
  });

  it("tells when it was made, to the millisecond", () => {
    fc.assert(
      fc.property(moments, random, (at, bytes) => {
        expect(createdAtOf(idAt(at, bytes))).toBe(at);
      }),
    );
  });

  it("sorts as it was made", () => {
    fc.assert(
      fc.property(moments, moments, random, random, (one, other, a, b) => {
        if (one < other) expect(idAt(one, a) < idAt(other, b)).toBe(true);
      }),
    );
  });

  it("holds 66 random bits: each of them counts", () => {
    const zero = new Uint8Array(ID_RANDOM_BYTES);
    const flipped = Array.from({ length: ID_RANDOM_BYTES * 8 }, (_, bit) =>
      idAt(
        NOON,
        zero.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte)),
      ),
    );
    expect(new Set(flipped.filter((id) => id !== idAt(NOON, zero))).size).toBe(66);
  });

  it("lies between the bounds of its moment", () => {
    fc.assert(
      fc.property(moments, random, (at, bytes) => {
        const id = idAt(at, bytes);
        expect([id >= lowestIdAt(at), id < lowestIdAt(at + 1) || at === 2 ** 48 - 1]).toEqual([true, true]);
      }),
    );
  });

  it("has bounds for every moment a client may name", () => {
    expect(lowestIdAt(-1)).toBe("00000000-0000-");
    expect(lowestIdAt(2 ** 53)).toBe("ffffffff-ffff-");
  });
});

describe("an id that cannot be one of ours", () => {
  const bytes = new Uint8Array(ID_RANDOM_BYTES).fill(255);

  it.each([
    ["made a minute ahead of our clock", idAt(NOON + 60_000, bytes), true],
    ["made later than that", idAt(NOON + 60_001, bytes), false],
    ["of long ago", idAt(0, bytes), true],
    ["with a reserved bit set", idAt(NOON, bytes).replace("-400", "-401"), false],
    ["with another reserved bit set", idAt(NOON, bytes).replace("-400", "-480"), false],
    ["of another version", idAt(NOON, bytes).replace("-400", "-700"), false],
  ])("%s", (_, id, can) => {
    expect(canExist(id, NOON)).toBe(can);
  });
});

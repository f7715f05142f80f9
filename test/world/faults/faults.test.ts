// The known faults fit the source as it is. Whether the world finds them takes minutes: `npm run world -- --faults`.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { KNOWN_FAULTS } from "./faults.ts";

const ROOT = join(import.meta.dirname, "../../..");

describe("a known fault fits the source", () => {
  it.each(KNOWN_FAULTS)("$name", ({ changes }) => {
    for (const { file, from } of changes)
      expect(readFileSync(join(ROOT, file), "utf8").split(from), file).toHaveLength(2);
  });
});

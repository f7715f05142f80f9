// Selecting rows one by one, in ranges, a page, or all that match.

import { describe, expect, it } from "vitest";
import {
  isSelected,
  NONE,
  type Selected,
  toggled,
  withPage,
  withRange,
} from "../../dashboard/src/screens/jobs/selection.ts";

const SHOWN = ["a", "b", "c", "d", "e"];
const idsOf = (selected: Selected) => (selected.kind === "matching" ? "matching" : [...selected.ids].sort().join(""));

describe("a range", () => {
  it("goes from the row that was switched last to this one, in either direction", () => {
    expect(idsOf(withRange(toggled(NONE, "b", SHOWN), "d", SHOWN))).toBe("bcd");
    expect(idsOf(withRange(toggled(NONE, "d", SHOWN), "b", SHOWN))).toBe("bcd");
  });

  it("takes rows away when it ends at a selected one", () => {
    const all = withPage(NONE, SHOWN);
    expect(idsOf(withRange(toggled(all, "b", SHOWN), "d", SHOWN))).toBe("ae");
  });

  it("is one row without a beginning, or when its beginning is not shown any more", () => {
    expect(idsOf(withRange(NONE, "c", SHOWN))).toBe("c");
    expect(idsOf(withRange(toggled(NONE, "z", SHOWN), "c", SHOWN))).toBe("cz");
  });
});

describe("a page", () => {
  it("is selected as a whole, and then not at all", () => {
    const page = withPage(toggled(NONE, "b", SHOWN), SHOWN);
    expect(idsOf(page)).toBe("abcde");
    expect(idsOf(withPage(page, SHOWN))).toBe("");
  });
});

describe("all that match", () => {
  const matching: Selected = { kind: "matching" };

  it("contains rows that are not shown", () => {
    expect(isSelected(matching, "not shown")).toBe(true);
  });

  it("becomes the rows that are shown, without the one that is switched off", () => {
    expect(idsOf(toggled(matching, "c", SHOWN))).toBe("abde");
  });
});

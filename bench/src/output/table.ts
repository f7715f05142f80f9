// One Markdown table.

export type Cell = string | number;

export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const line = (cells: readonly Cell[]) => `| ${cells.map(shown).join(" | ")} |`;
  const numeric = head.map((_, i) => rows.every((row) => typeof row[i] === "number"));
  return [line(head), `|${numeric.map((right) => (right ? "---:" : "---")).join("|")}|`, ...rows.map(line)].join("\n");
}

/** Three digits are more than any of these figures deserves. */
export function shown(cell: Cell): string {
  if (typeof cell === "string") return cell;
  if (Number.isInteger(cell)) return cell.toLocaleString("en");
  return Number(cell.toPrecision(3)).toLocaleString("en", { maximumFractionDigits: 3 });
}

// Rows for people: aligned, one line each, cut at the edge of the terminal.

import { printable } from "../local/printable.ts";
import { columnsOf, paint, type Style, type Terminal } from "./terminal.ts";

/** A cell, perhaps in a colour. Its text may come from anybody. */
export type Cell = string | { text: string; style: Style };

export function table(terminal: Terminal, heads: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const cells = [heads.map((text) => ({ text, style: "dim" as const })), ...rows].map((row) => row.map(shown));
  const widths = heads.map((_, i) => Math.max(...cells.map((row) => columnsOf(row[i]?.text ?? ""))));
  return cells.map((row) => line(terminal, row, widths)).join("\n");
}

/** Names and values below each other; those without a value are left out. */
export function facts(terminal: Terminal, rows: readonly (readonly [name: string, value: Cell])[]): string {
  const shownRows = rows.map(([name, value]) => [name, shown(value)] as const).filter(([, { text }]) => text !== "");
  const width = Math.max(...shownRows.map(([name]) => name.length));
  return shownRows
    .map(([name, { text, style }]) => {
      const value = style === undefined ? text : paint(terminal, style, text);
      return `${paint(terminal, "dim", name.padEnd(width))}  ${value}`;
    })
    .join("\n");
}

interface Shown {
  text: string;
  style?: Style;
}

const shown = (cell: Cell): Shown =>
  typeof cell === "string" ? { text: printable(cell) } : { text: printable(cell.text), style: cell.style };

function line(terminal: Terminal, row: readonly Shown[], widths: readonly number[]): string {
  let room = terminal.width;
  const parts = row.map(({ text, style }, i) => {
    const cut = columnsOf(text) <= room ? text : room === 0 ? "" : `${[...text].slice(0, room - 1).join("")}…`;
    room -= columnsOf(cut);
    const wanted = (widths[i] ?? 0) - columnsOf(cut) + 2;
    const padding = i === row.length - 1 ? 0 : Math.min(wanted, room);
    room -= padding;
    return (style === undefined || cut === "" ? cut : paint(terminal, style, cut)) + " ".repeat(padding);
  });
  return parts.join("").trimEnd();
}

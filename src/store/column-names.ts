// Which names the columns of a query have, read from its text: a batch gives rows by the names of their columns, so of two that share one
// only the last is left, and all behind it would be taken for their neighbours.

/** @returns the first name that two columns of what this statement gives share */
export function sharedName(sql: string): string | undefined {
  const seen = new Set<string>();
  for (const column of columnsOf(sql)) {
    const name = nameOf(column);
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}

/** A quoted text, a word, or a sign. */
const TOKEN = /"(?:[^"]|"")*"|'(?:[^']|'')*'|\w+|\S/g;

/** The texts of the columns of a `select`, or of what a write gives back. */
function columnsOf(sql: string): string[] {
  const start = /^\s*(?:insert|replace|update|delete)\b/i.test(sql) ? "returning" : "select";
  const columns: string[] = [];
  let depth = 0;
  let column: string[] | undefined;
  for (const [token] of sql.matchAll(TOKEN)) {
    const word = token.toLowerCase();
    if (depth === 0 && column === undefined) {
      if (word === start) column = [];
    } else if (depth === 0 && word === "from") break;
    else if (depth === 0 && word === ",") {
      columns.push(column?.join(" ") ?? "");
      column = [];
    } else column?.push(token);
    if (word === "(") depth += 1;
    if (word === ")") depth -= 1;
  }
  return column ? [...columns, column.join(" ")] : columns;
}

/** What follows the last `as`, or the last part of a column's own name, or else the whole expression. */
function nameOf(column: string): string {
  const [, name] = /(?:\bas |^(?:"[^"]*" \. )?)("[^"]*"|\w+)$/i.exec(column) ?? [];
  return (name ?? column).replaceAll('"', "").toLowerCase();
}

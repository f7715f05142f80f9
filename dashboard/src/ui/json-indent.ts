// Makes JSON readable without changing anything but the white space between its parts: no number is read, no key is lost.

const STEP = "  ";
/** A string, a run of white space, or one other character. */
const PARTS = /"(?:[^"\\]|\\.)*"|\s+|[^"\s]/g;

/** @param json a text that is JSON */
export function indented(json: string): string {
  const parts = (json.match(PARTS) ?? []).filter((part) => part.trim() !== "");
  const line = (depth: number) => `\n${STEP.repeat(depth)}`;
  let out = "";
  let depth = 0;
  for (const [n, part] of parts.entries()) {
    const isEmpty = parts[n + 1] === "}" || parts[n + 1] === "]";
    if ((part === "{" || part === "[") && !isEmpty) {
      depth += 1;
      out += part + line(depth);
    } else if ((part === "}" || part === "]") && parts[n - 1] !== "{" && parts[n - 1] !== "[") {
      depth -= 1;
      out += line(depth) + part;
    } else if (part === ",") out += `,${line(depth)}`;
    else out += part === ":" ? ": " : part;
  }
  return out;
}

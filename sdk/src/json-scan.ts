// Finds the text of a member in a JSON text that `JSON.parse` has accepted already. Of a key that occurs twice the last one
// counts, as it does there. The SDK has a copy of this file; a test compares the two.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const [OPEN_OBJECT, CLOSE_OBJECT] = [0x7b, 0x7d];
const [OPEN_LIST, CLOSE_LIST] = [0x5b, 0x5d];

/** The text of a value: from the first of these places to before the second. */
export type Span = readonly [from: number, to: number];

/** Where the members of the object, or the items of the list ("0", "1" …), that begins at `at` have their values. */
export function childrenOf(json: string, at = 0): Map<string, Span> {
  const children = new Map<string, Span>();
  const open = afterSpace(json, at);
  const isObject = json[open] === "{";
  for (let next = afterSpace(json, open + 1); json[next] !== "}" && json[next] !== "]"; ) {
    let name = String(children.size);
    if (isObject) {
      const end = afterString(json, next);
      name = JSON.parse(json.slice(next, end));
      next = afterSpace(json, afterSpace(json, end) + 1);
    }
    const end = afterValue(json, next);
    children.set(name, [next, end]);
    next = afterSpace(json, end);
    if (json[next] === ",") next = afterSpace(json, next + 1);
  }
  return children;
}

/** The same value without insignificant white space. */
export function compact(json: string): string {
  let out = "";
  let kept = 0;
  for (let i = 0; i < json.length; ) {
    const code = json.charCodeAt(i);
    if (code === QUOTE) i = afterString(json, i);
    else if (code > SPACE) i += 1;
    else {
      out += json.slice(kept, i);
      i = kept = afterSpace(json, i);
    }
  }
  return out + json.slice(kept);
}

/** Outside of strings JSON has no other characters up to the space than white space. */
function afterSpace(json: string, at: number): number {
  let i = at;
  while (json.charCodeAt(i) <= SPACE) i += 1;
  return i;
}

function afterString(json: string, quote: number): number {
  let i = quote + 1;
  while (i < json.length && json.charCodeAt(i) !== QUOTE) i += json.charCodeAt(i) === BACKSLASH ? 2 : 1;
  return i + 1;
}

function afterValue(json: string, at: number): number {
  if (json.charCodeAt(at) === QUOTE) return afterString(json, at);
  let depth = 0;
  for (let i = at; ; ) {
    const code = json.charCodeAt(i);
    if (code === QUOTE) {
      i = afterString(json, i);
      continue;
    }
    if (code === OPEN_OBJECT || code === OPEN_LIST) depth += 1;
    else if (code === CLOSE_OBJECT || code === CLOSE_LIST) depth -= 1;
    else if (depth === 0) return afterBare(json, i);
    i += 1;
    if (depth === 0) return i;
  }
}

/** A number, `true`, `false` or `null`. */
function afterBare(json: string, at: number): number {
  let i = at;
  while (/[\w+.-]/.test(json.charAt(i))) i += 1;
  return i;
}

// Text from outside, made fit for a terminal. Some characters act instead of being shown: they move the cursor, erase what
// was printed, begin a line that looks like ours, or turn the direction of the text around them.
import { stripVTControlCharacters } from "node:util";

/** Control characters (C0, DEL, C1), separators of lines, and what changes the direction of text. */
const ACTING = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/gu;

/** One line, in which such characters are shown as JSON escapes them. */
export function printable(text: string): string {
  return text.replace(ACTING, (character) => NAMED[character] ?? `\\u${hex(character)}`);
}

/** The same for several lines of a tool, without its colours. All but the first are indented: none looks like ours. */
export function printableLines(text: string): string {
  return stripVTControlCharacters(text).split(/\r?\n/).map(printable).join("\n  ");
}

const NAMED: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
const hex = (character: string): string => character.charCodeAt(0).toString(16).padStart(4, "0");

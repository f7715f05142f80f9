// The source as text, for the tests that hold its shape: which file imports which, and what it says outside comments.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

const ROOT = join(import.meta.dirname, "../..");

export interface SourceFile {
  /** From the project's root: `src/domain/job.ts`. */
  readonly path: string;
  /** Without comments. */
  readonly code: string;
  /** What it imports: files from the project's root, packages by their name. */
  readonly imports: readonly string[];
}

/** Every TypeScript file below a folder. */
export const filesIn = (folder: string): SourceFile[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name))
    .sort()
    .map((name) => fileAt(join(folder, name)));

function fileAt(path: string): SourceFile {
  const code = withoutComments(readFileSync(join(ROOT, path), "utf8"));
  const named = [...code.matchAll(/\b(?:from|import)\s*\(?\s*["']([^"'\n]+)["']/g)].map(([, name = ""]) => name);
  return {
    path,
    code,
    imports: named.map((name) => (name.startsWith(".") ? normalize(join(dirname(path), name)) : name)),
  };
}

/** Strings are stepped over: "/v1/*" begins no comment. (A lone quote in a regular expression may leave a comment in.) */
const STRING_OR_COMMENT = /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\*[\s\S]*?\*\/|\/\/.*$/gm;

const withoutComments = (text: string): string => text.replace(STRING_OR_COMMENT, "$1");

/** The exported functions of a file, each with the text of its parameters. */
export const exportedFunctions = ({ code }: SourceFile): { name: string; parameters: string }[] =>
  [...code.matchAll(/export (?:async )?(?:function|const) (\w+)(?:[^(={]*=(?: async)?)?\s*(?:<[^(]*>)?\(/g)].map(
    (found) => ({
      name: found[1] ?? "",
      parameters: upToClosing(code.slice(found.index + found[0].length)),
    }),
  );

/** What stands before the parenthesis that closes the one we are in. */
function upToClosing(text: string): string {
  let open = 1;
  const end = [...text].findIndex((char) => {
    if (char === "(") open += 1;
    if (char === ")") open -= 1;
    return open === 0;
  });
  return text.slice(0, end);
}

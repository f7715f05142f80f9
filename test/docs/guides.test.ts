// What the guides claim beside their commands: links that lead somewhere, and tables that are what their sources say.

import { execFileSync } from "node:child_process";
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PROJECT } from "../../local/settings.ts";

const DOCS = join(PROJECT, "docs");
const guides = readdirSync(DOCS).filter((name) => name.endsWith(".md"));
const read = (name: string): string => readFileSync(join(DOCS, name), "utf8");

/** Code, in which brackets and parentheses mean something else. */
const FENCED = /^ *```.*?^ *```$/gms;

describe.each(guides)("%s", (name) => {
  it("links only to files and headings that are there", () => {
    const links = [
      ...read(name)
        .replaceAll(FENCED, "")
        .matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g),
    ];
    const broken = links.filter(([, path = "", heading]) => {
      const target = path === "" ? join(DOCS, name) : join(DOCS, path);
      if (!existsSync(target)) return true;
      return heading !== undefined && !headingsOf(readFileSync(target, "utf8")).includes(heading);
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });

  it("is named in the index", () => {
    if (name !== "README.md") expect(read("README.md")).toContain(`](${name})`);
  });
});

const headingsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replace(/[^\w\s-]/g, "")
      .trim()
      .replaceAll(" ", "-"),
  );

describe.each([
  "README.md",
  ...guides.map((name) => `docs/${name}`),
  ...globSync("examples/*/README.md", { cwd: PROJECT }),
])("%s", (page) => {
  it("leaves the prompt on a line of its own after every answer it shows", () => {
    const blocks = [...readFileSync(join(PROJECT, page), "utf8").matchAll(/^ *```(\w*)[^\n]*\n(.*?)^ *```$/gms)];
    const shell = blocks.filter(([, language]) => language === "" || language === "sh");
    const commands = shell.flatMap(([, , text = ""]) => text.match(CURL) ?? []);
    const glued = commands.filter((command) => !command.includes("-w '\\n'") && !isTaken(command));
    expect(glued).toEqual([]);
  });
});

/** A command to the end of its last line: quoted texts and lines that go on are part of it. */
const CURL = /^.*\bcurl (?:'[^']*'|"[^"]*"|\\\n|[^'"\n])*/gm;

/** Its output goes to another command or a variable. */
const isTaken = (command: string): boolean => / \| |=\$\(curl/.test(command);

it("the page of measurements shows what the benchmark has measured", () => {
  expect(read("measured.md")).toContain(readFileSync(join(PROJECT, "bench/results/summary.md"), "utf8"));
});

it("the tables of costs and of the Free plan are what cost.mjs computes", () => {
  const rows = execFileSync(process.execPath, [join(DOCS, "cost.mjs"), "1", "10", "100", "1000", "free"], {
    encoding: "utf8",
  });
  for (const row of rows.trim().split("\n")) expect(read("deploying.md")).toContain(row);
});

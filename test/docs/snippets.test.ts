// The TypeScript in README, guides and the SDK's pages compiles, as strictly as ours.

import { execFileSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, it } from "vitest";
import { PROJECT } from "../../local/settings.ts";

const PAGES = ["README.md", "docs/*.md", "sdk/README.md", "examples/*/README.md"];

/** What a reader has and we do not show. */
const YOURS = `
declare function send(to: string, options: { signal: AbortSignal }): Promise<void>;
declare function sendMail(mail: { to?: string }): Promise<void>;
`;

it("every snippet compiles", () => {
  const pages = globSync(PAGES, { cwd: PROJECT });
  const snippets = pages.flatMap((page) =>
    [...readFileSync(join(PROJECT, page), "utf8").matchAll(/^( *)```ts\n(.*?)^\1```$/gms)].map(
      ([, , code = ""], i) => ({
        name: `${page.replaceAll(/\W/g, "-")}-${i}.ts`,
        code,
      }),
    ),
  );
  expect(snippets.length).toBeGreaterThanOrEqual(9);
  const folder = mkdtempSync(join(PROJECT, "test/docs/snippets-"));
  try {
    for (const { name, code } of snippets) writeFileSync(join(folder, name), code);
    writeFileSync(join(folder, "yours.d.ts"), YOURS);
    const lib = ["ES2024", "DOM", "DOM.Iterable"];
    const options = {
      types: ["node"],
      lib,
      noUnusedLocals: false,
      paths: {
        "@chronos-edge/sdk": ["../../../sdk/src/index.ts"],
        "@chronos-edge/sdk/*": ["../../../sdk/src/*.ts"],
        "chronos-edge/testing": ["../../../testing/testing.ts"],
      },
    };
    const config = { extends: "../../../tsconfig.json", compilerOptions: options, include: ["*.ts"], exclude: [] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    expect(faultsIn(folder).replaceAll(basename(folder), "snippets")).toBe("");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

function faultsIn(folder: string): string {
  try {
    return execFileSync("npx", ["tsc", "-p", folder], { cwd: PROJECT, encoding: "utf8" });
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

// Builds the guides into one file, `dist/guides.json.gz`, which the Worker carries as it is and shows at /docs/guides.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import type { Tokens } from "marked";

const HERE = import.meta.dirname;
const ASSET = join(HERE, "dist/guides.json.gz");

/** The index is a guide like the others, and the first. */
const INDEX = "README.md";

/** Where the guides name the service's own reference: the page knows where that is. */
const REFERENCE = "http://127.0.0.1:8787/docs";

/** A guide as the Worker shows it. Links to other guides begin with `guide:`, those to the reference with `reference:`. */
interface Guide {
  readonly name: string;
  readonly title: string;
  readonly html: string;
}

/** Brings `dist/guides.json.gz` up to date; a few milliseconds when it is. */
export async function buildGuides(): Promise<void> {
  const names = readdirSync(HERE).filter((name) => name.endsWith(".md"));
  const sources = names.map((name) => [name, readFileSync(join(HERE, name), "utf8")] as const);
  const source = JSON.stringify([readFileSync(import.meta.filename, "utf8"), sources]);
  const madeFrom = createHash("sha256").update(source).digest("hex");
  if (existsSync(ASSET) && JSON.parse(`${gunzipSync(readFileSync(ASSET))}`).madeFrom === madeFrom) return;
  const guides = await Promise.all(sources.map(([name, text]) => guideOf(name, text, names)));
  const index = readFileSync(join(HERE, INDEX), "utf8");
  const placeOf = ({ name }: Guide) => (name === "" ? -1 : index.indexOf(`](${name}.md)`));
  guides.sort((one, other) => placeOf(one) - placeOf(other));
  mkdirSync(join(HERE, "dist"), { recursive: true });
  writeWhole(ASSET, gzipSync(JSON.stringify({ guides, madeFrom }), { level: 9 }));
}

/** Writes a built file. Several processes may build at once: each writes the same, and a reader sees the whole file or the old one. */
export function writeWhole(path: string, content: string | Uint8Array): void {
  const beside = `${path}.${process.pid}`;
  writeFileSync(beside, content);
  renameSync(beside, path);
}

async function guideOf(file: string, text: string, files: readonly string[]): Promise<Guide> {
  const { Marked } = await import("marked");
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth, text }: Tokens.Heading) {
        return `<h${depth} id="${anchorOf(text)}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
      },
      code({ text }: Tokens.Code) {
        return `<pre tabindex="0"><code>${escaped(text)}</code></pre>\n`;
      },
      tablecell({ header, tokens }: Tokens.TableCell) {
        const name = header && tokens.length > 0 ? "th" : "td"; // a screen reader says that a header is empty
        return `<${name}>${this.parser.parseInline(tokens)}</${name}>\n`;
      },
      link({ href, tokens }: Tokens.Link) {
        const words = this.parser.parseInline(tokens);
        const target = targetOf(href, files);
        return target === undefined ? words : `<a href="${target}">${words}</a>`;
      },
      // The pictures stay in the repository; the page says what they show.
      image({ text }: Tokens.Image) {
        return `<em>${escaped(text)}</em>`;
      },
    },
  });
  const title = /^# (.+)$/m.exec(text)?.[1] ?? file;
  return { name: nameOf(file), title, html: await marked.parse(text) };
}

/** Undefined for a file of the source, which the service does not have. */
function targetOf(href: string, files: readonly string[]): string | undefined {
  if (href === REFERENCE) return "reference:";
  if (/^https?:|^#/.test(href)) return href;
  const [file = "", heading] = href.split("#");
  return files.includes(file) ? `guide:${nameOf(file)}${heading ? `#${heading}` : ""}` : undefined;
}

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

const nameOf = (file: string): string => (file === INDEX ? "" : file.replace(/\.md$/, ""));

/** As GitHub names headings. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, "")
    .trim()
    .replaceAll(" ", "-");

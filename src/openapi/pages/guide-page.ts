// A guide as a page, with the list of all of them beside it.

import { html, raw } from "hono/html";
import { type Html, page } from "./page.ts";
import { BASE_STYLE } from "./style.ts";

/** As `docs/build.ts` makes them. The index has no name. */
export interface Guide {
  readonly name: string;
  readonly title: string;
  readonly html: string;
}

export const GUIDE_STYLE = `${BASE_STYLE}
body { display: grid; grid-template-columns: minmax(0, 1fr); }
.bar { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem 1rem; padding: .6rem 1rem; border-bottom: 1px solid var(--line); }
.bar b { font-weight: 650; margin-inline-end: auto; }
.bar a { text-decoration: none; }
main { padding: 1.5rem 1rem 4rem; max-width: 52rem; }
main > * + * { margin-top: 1rem; }
h1 { font-size: clamp(1.5rem, 5vw, 2rem); letter-spacing: -.02em; }
h2 { font-size: 1.25rem; padding-top: 1.25rem; }
h3 { font-size: 1.0625rem; padding-top: .75rem; }
main ul, main ol { padding-inline-start: 1.4rem; }
main li + li { margin-top: .3rem; }
table { display: block; overflow-x: auto; border-collapse: collapse; font-size: .9375rem; }
th { text-align: start; font-weight: 600; }
thead:not(:has(th:not(:empty))) { display: none; }
th, td { padding: .45rem .9rem .45rem 0; border-top: 1px solid var(--line); vertical-align: top; overflow-wrap: break-word; }
td:first-child { min-width: 8rem; }
blockquote { margin: 0; padding-inline-start: 1rem; border-inline-start: 3px solid var(--line); color: var(--ink-2); }
nav { padding: 1rem; border-top: 1px solid var(--line); font-size: .9375rem; }
nav ul { list-style: none; }
nav a { display: block; padding: .2rem 0; color: var(--ink-2); text-decoration: none; }
nav a:hover, nav [aria-current] { color: var(--accent); }
nav [aria-current] { font-weight: 600; }
@media (max-width: 32rem) { .bar { font-size: .875rem; } }
@media (min-width: 60rem) {
  body { grid-template-columns: 16rem minmax(0, 1fr); }
  .bar { grid-column: 1 / -1; }
  main { grid-column: 2; grid-row: 2; padding: 2rem; }
  nav { grid-column: 1; grid-row: 2; border-top: 0; border-inline-end: 1px solid var(--line); }
}
`;

export function guidePage(guide: Guide, all: readonly Guide[]): Html {
  const isIndex = guide.name === "";
  const root = isIndex ? "../" : "../../";
  // The index is at `docs/guides`, the others a level below it.
  const to = (name: string) => (isIndex ? `guides/${name}`.replace(/\/$/, "") : name || "../guides");
  const text = guide.html
    .replaceAll("reference:", `${root}docs`)
    .replaceAll(/href="guide:([\w-]*)/g, (_, name: string) => `href="${to(name)}`);
  return page({
    title: `${guide.title} · Chronos on the edge`,
    style: GUIDE_STYLE,
    root,
    body: html`<body>
<header class="bar"><b>Chronos on the edge</b><a href="${root}">Home</a><a href="${root}dashboard">Dashboard</a>
<a href="${root}docs">Reference</a></header>
<main>${raw(text)}</main>
<nav aria-label="Guides"><ul>${all.map(
      ({ name, title }) =>
        html`<li><a href="${to(name)}"${name === guide.name ? html` aria-current="page"` : ""}>${title}</a></li>`,
    )}</ul></nav>
</body>`,
  });
}

// The reference: the document as a page that needs no script to be read. It opens on the two keys and a first job.

import { html } from "hono/html";
import { type ErrorCode, STATUS_OF } from "../../http/errors.ts";
import { REFUSALS } from "../refusals.ts";
import { BASE, type Entry } from "./entry.ts";
import { anchorOf, fieldList, type Schemas } from "./field-list.ts";
import { createCommand, listCommand } from "./first-job.ts";
import { operationSection, parameterList, webhookSection } from "./operation-section.ts";
import { type Html, inline, page, prose } from "./page.ts";
import { REFERENCE_STYLE } from "./reference-style.ts";
import { type Document, nameIn, type Operation, type Schema } from "./shape.ts";
import { keyField } from "./try-form.ts";

/** @param isLocal whether jobs may be pushed to this machine */
export function referencePage(document: Document, isLocal: boolean): Html {
  const { schemas } = document.components;
  const groups = document.tags.map((tag) => ({ ...tag, entries: entriesOf(document, tag.name) }));
  const sent = Object.values(document.webhooks).map(({ post }) => post);
  const objects = objectsIn(document);
  return page({
    title: "Reference · Chronos on the edge",
    style: REFERENCE_STYLE,
    script: "docs/reference.js",
    body: html`<body data-base="${BASE}">
<header class="bar"><b>Chronos on the edge</b><a class="to-contents" href="#contents">Contents</a><a href=".">Home</a>
<a href="dashboard">Dashboard</a><a href="docs/guides">Guides</a><a href="openapi.json">OpenAPI</a></header>
<main>
${start({ base: BASE, isLocal })}
${rules(document)}
${groups.map(
  ({ name, description, entries }) => html`<section id="${groupAnchor(name)}"><h2>${name}</h2>
<div class="intro">${prose(description)}</div>${entries.map((entry) => operationSection(entry, schemas))}</section>`,
)}
${sentByUs(sent, schemas)}
<section id="objects"><h2>Objects</h2><div class="intro">${prose("What stands in `data` of an answer.")}</div>
${objects.map(
  (name) => html`<section class="operation" id="${anchorOf(name)}"><div class="words"><h3>${name}</h3>
${fieldList(schemas[name] ?? {}, schemas, "linked")}</div></section>`,
)}</section>
</main>
<nav id="contents" aria-label="Contents">
<label for="filter">Find an operation</label><input id="filter" type="search">
${contents("Start", [
  ["keys", KEYS_TITLE],
  ["first-job", "A first job"],
  ["rules", "Rules for all requests"],
  ["errors", "Errors"],
])}
${groups.map(({ name, entries }) =>
  contents(
    name,
    entries.map(({ operation, method, path }) => [operation.operationId, operation.summary, `${method} ${path}`]),
  ),
)}
${contents(
  SENT_TITLE,
  sent.map(({ operationId, summary }) => [operationId, summary]),
)}
${contents(
  "Objects",
  objects.map((name) => [anchorOf(name), name]),
)}
</nav>
</body>`,
  });
}

const KEYS_TITLE = "Authentication";
const SENT_TITLE = "What you receive";

function start(facts: { base: string; isLocal: boolean }): Html {
  return html`<section id="keys">
<h1>Reference</h1>
<div class="intro">
<h2>${KEYS_TITLE}</h2>
${prose(
  "Each request carries a key: `Authorization: Bearer chrns_…`. There are two kinds.\n\n" +
    "The API key belongs to an account and opens the paths under `/v1`. It has a scope; each operation names those that may call it.\n\n" +
    "The admin token is the operator's `ADMIN_TOKEN` and opens the paths under `/v1/admin`, where accounts are made.",
)}
<form class="keys" autocomplete="off">
${keyField("apiKey", "all")}
${keyField("operator", "all-operator")}
</form>
<p class="kind">“Try it” sends these keys. They stay in this page's memory and are gone with the page.</p>
</div>
</section>
<section id="first-job" class="first">
<div class="intro">
<h2>A first job</h2>
${prose(
  facts.isLocal
    ? "It is pushed to `npm run receive`, in five seconds. `$KEY` is your API key."
    : "It is pushed to your URL in five seconds: put your own in the place of `https://example.com/jobs`. `$KEY` is your API key.",
)}
<pre tabindex="0">${createCommand(facts)}</pre>
<p>See how it went:</p>
<pre tabindex="0">${listCommand(facts)}</pre>
</div>
</section>`;
}

/** The document's own description, up to the table that is shown better below. */
function rules({ info }: Document): Html {
  const words = info.description.slice(0, info.description.indexOf("\n| code |"));
  return html`<section id="rules"><h2>Rules for all requests</h2><div class="intro">${prose(words.trim())}</div></section>
<section id="errors"><h2>Errors</h2>
<div class="intro">${prose("A refusal is `success: false` with a `code` for programs, a `message` for people, and the fields at fault in `errors`.")}</div>
<ul class="fields">${Object.entries(REFUSALS).map(
    ([code, { when }]) =>
      html`<li id="error-${code}"><p><code class="name">${code}</code> <span class="kind">${STATUS_OF[code as ErrorCode]}</span></p>
<p>${inline(when)}</p></li>`,
  )}</ul></section>`;
}

function sentByUs(operations: readonly Operation[], schemas: Schemas): Html {
  const headers = operations[0]?.parameters ?? [];
  return html`<section id="received"><h2>${SENT_TITLE}</h2>
<div class="intro">${prose("Pushes, events and callbacks are requests of the service to your URL. Each is signed twice: with the headers of Chronos, and with those of Standard Webhooks.")}
${parameterList(html`<h3>Their headers</h3>`, headers, "header", schemas)}</div>
${operations.map((operation) => webhookSection({ operation }, schemas))}</section>`;
}

function contents(title: string, entries: readonly (readonly [anchor: string, name: string, words?: string])[]): Html {
  return html`<section><h2>${title}</h2><ul>${entries.map(
    ([anchor, name, words = ""]) =>
      html`<li data-words="${name} ${words} ${title}"><a href="#${anchor}">${name}</a></li>`,
  )}</ul></section>`;
}

const groupAnchor = (name: string): string => `group-${name.toLowerCase().replaceAll(" ", "-")}`;

const entriesOf = ({ paths }: Document, tag: string): Entry[] =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { tags }]) => tags.includes(tag))
      .map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );

/** The objects that answers and events show, and those within them, in the document's order. */
function objectsIn({ paths, webhooks, components }: Document): string[] {
  const found = new Set<string>();
  const visit = (schema: Schema): void => {
    const name = nameIn(schema);
    if (name !== undefined) {
      if (found.has(name)) return;
      found.add(name);
      visit(components.schemas[name] ?? {});
    }
    for (const part of [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...Object.values(schema.properties ?? {})])
      visit(part);
    if (schema.items) visit(schema.items);
  };
  for (const operation of Object.values(paths).flatMap((methods) => Object.values(methods)))
    for (const [status, { content = {} }] of Object.entries(operation.responses))
      if (status.startsWith("2")) for (const { schema } of Object.values(content)) visit(schema);
  for (const { post } of Object.values(webhooks))
    for (const { schema } of Object.values(post.requestBody?.content ?? {})) visit(schema);
  return Object.keys(components.schemas).filter((name) => found.has(name));
}

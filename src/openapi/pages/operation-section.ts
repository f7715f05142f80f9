// One operation as a section of the reference: its words and fields beside what is sent and what comes back.

import { html } from "hono/html";
import { accessOf, BASE, type Entry, type Example, examplesOf } from "./entry.ts";
import { fieldList, kindOf, type Schemas } from "./field-list.ts";
import { type Html, inline, prose } from "./page.ts";
import { nameIn, type Operation, type Parameter, type Schema } from "./shape.ts";
import { tryForm } from "./try-form.ts";

export function operationSection(entry: Entry, schemas: Schemas): Html {
  const { method, path, operation } = entry;
  const body = operation.requestBody?.content["application/json"]?.schema;
  const parameters = operation.parameters ?? [];
  return html`<section class="operation" id="${operation.operationId}">
<div class="words">
<h3><a href="#${operation.operationId}">${operation.summary}</a></h3>
<p class="line"><b class="method ${method.toLowerCase()}">${method}</b> <code>${path}</code></p>
${operation.description ? prose(operation.description) : ""}
${parameterList(html`<h4>In the path</h4>`, parameters, "path", schemas)}
${parameterList(html`<h4>In the query</h4>`, parameters, "query", schemas)}
${body ? html`<h4>In the body</h4>${fieldList(body, schemas, "written")}` : ""}
${refusals(operation)}
</div>
<div class="samples">
${examplesOf(operation).map((example, i) => requestSample(entry, example, i === 0))}
${answerSample(operation)}
${tryForm(entry)}
</div>
</section>`;
}

export function parameterList(
  heading: Html,
  parameters: readonly Parameter[],
  place: Parameter["in"],
  schemas: Schemas,
): Html | "" {
  const here = parameters.filter((one) => one.in === place);
  if (here.length === 0) return "";
  return html`${heading}<ul class="fields">${here.map(
    ({ name, schema, description }) => html`<li>
<p><code class="name">${name}</code> <span class="kind">${kindOf(schema, schemas, "written")}</span></p>
${description ? html`<p>${inline(withDefault(description, schema))}</p>` : ""}
</li>`,
  )}</ul>`;
}

const withDefault = (words: string, { default: value }: Schema): string =>
  value === undefined ? words : `${words} Default: \`${JSON.stringify(value)}\`.`;

function requestSample(entry: Entry, { name, summary, body }: Example, isFirst: boolean): Html {
  return html`<details class="sample" name="request-${entry.operation.operationId}"${isFirst ? html` open` : ""}>
<summary>${name === "" ? "Request" : summary}</summary>
<pre tabindex="0">${commandOf(entry, body)}</pre>
</details>`;
}

/** Quoted for a shell: an apostrophe ends the text, is itself escaped, and begins the text again. */
function commandOf({ method, path, operation }: Entry, body: unknown): string {
  const access = accessOf(operation);
  const url = `${BASE}${path}`;
  const lines = [
    `curl -w '\\n' ${method === "GET" ? "" : `-X ${method} `}${/[{&?]/.test(url) ? `'${url}'` : url}`,
    ...(access === null ? [] : [`-H "Authorization: Bearer ${access === "operator" ? "$ADMIN_TOKEN" : "$KEY"}"`]),
    ...(body === undefined ? [] : ["-H 'Content-Type: application/json'"]),
    ...(body === undefined
      ? []
      : [`-d '${JSON.stringify(body, null, 2).replaceAll("'", "'\\''").replaceAll("\n", "\n  ")}'`]),
  ];
  return lines.join(" \\\n  ");
}

function answerSample({ responses }: Operation): Html {
  const successes = Object.entries(responses).filter(([status]) => status.startsWith("2"));
  return html`${successes.map(([status, { description, content = {} }]) => {
    const [type = "", { example, schema } = { example: undefined, schema: {} }] = Object.entries(content)[0] ?? [];
    const shown = example === undefined ? (description ?? type) : JSON.stringify(example, null, 2);
    return html`<details class="sample"><summary>Answer <b class="status">${status}</b></summary>${dataLink(schema)}<pre tabindex="0">${shown}</pre></details>`;
  })}`;
}

/** Which object is in `data`. */
function dataLink(schema: Schema): Html | "" {
  const data = schema.properties?.data;
  if (!data) return "";
  return html`<p class="kind"><code>data</code>: ${kindOf(data, {}, "linked")}</p>`;
}

function refusals({ responses }: Operation): Html | "" {
  const codes = Object.entries(responses).flatMap(([status, { content = {} }]) =>
    status.startsWith("2") || status === "default"
      ? []
      : Object.keys(content["application/json"]?.examples ?? {}).map((code) => ({ status, code })),
  );
  if (codes.length === 0) return "";
  return html`<details class="refusals"><summary>What it refuses</summary><ul>${codes.map(
    ({ status, code }) => html`<li><a href="#error-${code}"><code>${code}</code></a> ${status}</li>`,
  )}</ul></details>`;
}

/** What the service sends, for whoever receives it. */
export function webhookSection({ operation }: Omit<Entry, "method" | "path">, schemas: Schemas): Html {
  const body = operation.requestBody?.content["application/json"]?.schema;
  const name = body && nameIn(body);
  const answers = Object.entries(operation.responses);
  return html`<section class="operation" id="${operation.operationId}">
<div class="words">
<h3><a href="#${operation.operationId}">${operation.summary}</a></h3>
${prose(operation.description ?? "")}
${body ? html`<h4>In the body${name ? html`: ${kindOf(body, schemas, "linked")}` : ""}</h4>` : ""}
<h4>Your answer</h4>
<ul class="fields">${answers.map(([status, { description }]) => html`<li><p><code class="name">${status === "default" ? "any other" : status}</code></p><p>${inline(description ?? "")}</p></li>`)}</ul>
</div>
<div class="samples"></div>
</section>`;
}

// The form that sends an operation. It starts empty and sends what was filled in, and nothing else; without script it is not shown.

import { html } from "hono/html";
import { accessOf, type Entry, examplesOf } from "./entry.ts";
import type { Html } from "./page.ts";
import type { Parameter } from "./shape.ts";

/** The two keys as they are called everywhere on the page. */
export const KEY_NAMES = { apiKey: "API key", operator: "Admin token" } as const;

export function tryForm({ method, path, operation }: Entry): Html {
  const access = accessOf(operation);
  const id = `try-${operation.operationId}`;
  const body = operation.requestBody !== undefined;
  return html`<details class="try"><summary>Try it</summary>
<form data-method="${method}" data-path="${path}" autocomplete="off">
${access === null ? "" : keyField(access, id)}
${(operation.parameters ?? []).map((parameter) => parameterField(parameter, id))}
${
  body
    ? html`<label for="${id}-body">Body</label>
<textarea id="${id}-body" name="body" rows="6" spellcheck="false" placeholder="JSON"></textarea>
<p class="fills">${examplesOf(operation)
        .filter(({ body }) => body !== undefined)
        .map(
          ({ summary, body }) =>
            html`<button type="button" class="fill" value="${JSON.stringify(body, null, 2)}">Fill in: ${summary}</button>`,
        )}</p>`
    : ""
}
<p><button class="send">Send</button> <code class="asked"></code></p>
<div class="answer" role="status" hidden><p class="outcome"></p><pre tabindex="0" aria-label="The answer's body"></pre></div>
</form>
</details>`;
}

/** A key that is typed into one of these fields appears in all fields of its kind. */
export const keyField = (
  access: keyof typeof KEY_NAMES,
  id: string,
): Html => html`<label for="${id}-authorization">${KEY_NAMES[access]}</label>
<input id="${id}-authorization" type="password" data-key="${access}" autocomplete="off" spellcheck="false" placeholder="${access === "apiKey" ? "chrns_…" : "ADMIN_TOKEN"}">`;

function parameterField({ name, in: place, schema, required, example }: Parameter, id: string): Html {
  const isList = schema.type === "array";
  const hint = example === undefined ? "" : `such as ${[example].flat().join(", ")}`;
  return html`<label for="${id}-${name}"><code>${name}</code>${isList ? ", several with commas" : ""}</label>
<input id="${id}-${name}" name="${name}" data-in="${place}"${isList ? html` data-list` : ""}${required ? html` required` : ""} placeholder="${hint}" spellcheck="false">`;
}

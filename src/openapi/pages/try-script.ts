// The reference's script: sends what was filled in, and finds operations by their words. It is sent as it is, so it is written for the
// browser; `test/docs/reference-page.test.ts` runs it in one. Keys stay in the page's memory: nothing is stored, nothing else is asked.

export const TRY_SCRIPT = String.raw`
const base = new URL(".", location.href).href.replace(/\/$/, "");
for (const code of document.querySelectorAll("pre")) {
  if (code.textContent.includes(document.body.dataset.base))
    code.textContent = code.textContent.replaceAll(document.body.dataset.base, base);
}

const keys = {};
document.addEventListener("input", ({ target }) => {
  const kind = target.dataset.key;
  if (!kind) return;
  keys[kind] = target.value.trim();
  for (const other of document.querySelectorAll('[data-key="' + kind + '"]'))
    if (other !== target) other.value = target.value;
});

document.addEventListener("click", ({ target }) => {
  if (!target.matches("button.fill")) return;
  const body = target.form.elements.namedItem("body");
  body.value = target.value;
  body.rows = Math.min(20, target.value.split("\n").length + 1);
  body.focus();
});

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const send = form.querySelector(".send");
  if (!send || send.disabled) return;
  const request = requestOf(form);
  form.querySelector(".asked").textContent = request.method + " " + request.url.slice(base.length);
  send.disabled = true;
  const startedAt = performance.now();
  try {
    const response = await fetch(request.url, request);
    const text = await response.text();
    const ms = Math.round(performance.now() - startedAt);
    const id = response.headers.get("X-Request-Id");
    show(form, response.status + " after " + ms + " ms" + (id ? ", request " + id : ""), response.ok, indented(text));
  } catch {
    show(form, "No answer came: is the service still there?", false, "");
  } finally {
    send.disabled = false;
  }
});

function requestOf(form) {
  let path = form.dataset.path;
  const query = new URLSearchParams();
  const headers = {};
  for (const field of form.elements) {
    const value = field.value;
    if (field.dataset.in === "path") path = path.replace("{" + field.name + "}", encodeURIComponent(value.trim()));
    else if (field.dataset.in === "query" && value !== "")
      for (const one of "list" in field.dataset ? value.split(",") : [value]) query.append(field.name, one.trim());
    else if (field.dataset.key && value.trim() !== "") headers.Authorization = "Bearer " + value.trim();
  }
  const body = form.elements.namedItem("body")?.value ?? "";
  if (body !== "") headers["Content-Type"] = "application/json";
  const url = base + path + (query.size > 0 ? "?" + query : "");
  return { method: form.dataset.method, url, headers, credentials: "omit", ...(body !== "" && { body }) };
}

function show(form, outcome, isGood, body) {
  const answer = form.querySelector(".answer");
  answer.hidden = false;
  answer.className = "answer " + (isGood ? "good" : "bad");
  answer.querySelector(".outcome").textContent = outcome;
  answer.querySelector("pre").textContent = body;
  answer.querySelector("pre").hidden = body === "";
}

// Indents JSON by its text: parsed, numbers beyond 2^53 would change.
function indented(text) {
  if (!/^[[{]/.test(text)) return text;
  let depth = 0;
  return text.replace(/"(?:[^"\\]|\\.)*"|[[\]{},:]/g, (token, at) => {
    if (token.length > 1) return token;
    const line = () => "\n" + "  ".repeat(depth);
    if (token === "{" || token === "[") {
      depth++;
      return /[\]}]/.test(text[at + 1]) ? token : token + line();
    }
    if (token === "}" || token === "]") {
      depth--;
      return /[[{]/.test(text[at - 1]) ? token : line() + token;
    }
    return token === "," ? token + line() : token + " ";
  });
}

const filter = document.querySelector("#filter");
filter?.addEventListener("input", () => {
  const words = filter.value.toLowerCase().split(/\s+/);
  for (const entry of document.querySelectorAll("#contents li")) {
    const text = (entry.dataset.words ?? entry.textContent).toLowerCase();
    entry.hidden = !words.every((word) => text.includes(word));
  }
  for (const group of document.querySelectorAll("#contents section"))
    group.hidden = !group.querySelector("li:not([hidden])");
});
`;

// What the API answered, as an assistant reads it: the envelope's text, and no more of it than is good for one.

/** Characters of an answer. An assistant pays for each, and some clients refuse more. */
export const MAX_ANSWER = 48_000;
/** Characters of a value inside an answer that is too long. */
const MAX_VALUE = 500;

export interface ToolAnswer {
  /** The protocol's result is open; its `isError` is all that tells a refusal. */
  [key: string]: unknown;
  content: { type: "text"; text: string }[];
  isError?: boolean;
}

export const refusal = (text: string): ToolAnswer => ({ content: [{ type: "text", text }], isError: true });

export async function answerOf(response: Response): Promise<ToolAnswer> {
  const text = await response.text();
  return response.ok ? { content: [{ type: "text", text: bounded(text) }] } : refusal(inWords(response, text));
}

/** The answer as it is, or with its long values cut, or cut itself. It says so. */
export function bounded(text: string): string {
  if (text.length <= MAX_ANSWER) return text;
  const short = JSON.stringify(JSON.parse(text), cut);
  if (short.length <= MAX_ANSWER) return short;
  const note = `\n… (cut: ${short.length} characters in all. Ask for fewer with \`size\`, or for one with its id.)`;
  return short.slice(0, MAX_ANSWER - note.length).toWellFormed() + note;
}

/** What users put there has no other bound than the API's. */
const CARRIED = ["payload", "result", "progress", "response"];

function cut(name: string, value: unknown): unknown {
  const text = typeof value === "string" ? value : CARRIED.includes(name) ? JSON.stringify(value) : undefined;
  if (text === undefined || text.length <= MAX_VALUE) return value;
  return `${text.slice(0, MAX_VALUE).toWellFormed()}… (cut: ${text.length} characters)`;
}

interface Refused {
  readonly message: string;
  readonly code: string;
  readonly errors: readonly { readonly field: string; readonly message: string }[];
  readonly data?: unknown;
}

/** The envelope's own words, and what helps to do better. */
function inWords({ headers }: Response, text: string): string {
  const { message, code, errors, data }: Refused = JSON.parse(text);
  const wait = headers.get("Retry-After");
  return [
    `${message} (${code})`,
    ...errors.map(({ field, message }) => `${field}: ${message}`),
    ...(wait ? [`Try again in ${wait} s.`] : []),
    ...(data ? [`It is: ${bounded(JSON.stringify(data))}`] : []),
    `Request ${headers.get("X-Request-Id")}`,
  ].join("\n");
}

// Turns the output of a failed wrangler command into a message for the person who deploys.
import { stripVTControlCharacters } from "node:util";

/** Lines that do not describe the failure. */
const NOTICES =
  /^(If you think this is a bug|Note that there is a newer version|There is a newer version|🪵|Logs were written|Cloudflare agent skills|\s*at .*:\d+\)*$|\s*at process\.|\(error handler also failed|APIError: |To continue without logging in).*$/gm;

/** Messages that mislead here, with their replacement. */
const MEANINGS: readonly [RegExp, string][] = [
  [
    /In a non-interactive environment, it's necessary to set a CLOUDFLARE_API_TOKEN/,
    "You are not signed in. Run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN.",
  ],
  [/^fetch failed$/, "Cloudflare's API cannot be reached. Is there a network, and no proxy in between?"],
];

const MAY_NOT =
  "Your sign-in may not do this. An API token needs edit for Workers Scripts, D1 and Queues in this account.";

/** The errors in what it printed, each once; all of that if there are none. */
export function errorIn(output: string): string {
  const plain = stripVTControlCharacters(output).replace(NOTICES, "");
  const errors = plain.split(/^.*\[ERROR\] /m).slice(1);
  const parts = (errors.length > 0 ? errors : [plain]).map((part) => part.split("▲ [WARNING]")[0] ?? "");
  const lines = parts
    .join("\n")
    .split("\n")
    .filter((line) => line.trim() !== "");
  const said = [...new Set(lines)].join("\n").trim();
  const meaning = MEANINGS.find(([pattern]) => pattern.test(said))?.[1];
  if (meaning !== undefined) return meaning;
  if (said.includes("[code: 10000]")) return `${said}\n${MAY_NOT}`;
  return said || "wrangler failed without a word.";
}

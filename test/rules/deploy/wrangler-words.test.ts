// Of what wrangler prints when it fails, the person who deploys sees what helps.

import { expect, it } from "vitest";
import { errorIn } from "../../../deploy/wrangler-words.ts";

const ERROR = "\u001b[31m✘ \u001b[41;31m[\u001b[41;97mERROR\u001b[41;31m]\u001b[0m \u001b[1m";

it("the error, without colours, warnings, notices and stacks", () => {
  const printed = `Uploading…
▲ [WARNING] something else

${ERROR}Queue "emails" does not exist.\u001b[0m

  To create it, run: wrangler queues create emails


If you think this is a bug then please create an issue at https://example.com
Note that there is a newer version of Wrangler available (9.9.9).
APIError: Queue "emails" does not exist.
    at throwFetchError (/somewhere/cli.js:63088:19)
    at process.processTicksAndRejections (node:internal/process/task_queues:104:5)
      at async main (/somewhere/cli.js:370102:9))
🪵  Logs were written to "/somewhere"
`;
  expect(errorIn(printed)).toBe('Queue "emails" does not exist.\n  To create it, run: wrangler queues create emails');
});

it("each error once, in their order", () => {
  expect(errorIn(`${ERROR}one\n${ERROR}two\n${ERROR}one\n`)).toBe("one\ntwo");
});

it("who is not signed in is told how", () => {
  const printed = `${ERROR}In a non-interactive environment, it's necessary to set a CLOUDFLARE_API_TOKEN environment variable`;
  expect(errorIn(printed)).toMatch(/^You are not signed in\. Run `npx wrangler login`/);
});

it("who may not do it is told what a token needs", () => {
  expect(errorIn(`${ERROR}A request failed.\n\n  Authentication error [code: 10000]\n`)).toMatch(
    /^A request failed\.\n {2}Authentication error \[code: 10000\]\nYour sign-in may not do this\./,
  );
});

it("who has no network is told so", () => {
  expect(errorIn(`${ERROR}fetch failed`)).toMatch(/^Cloudflare's API cannot be reached/);
});

it("without an error, everything it printed; without anything, that", () => {
  expect(errorIn("killed\n")).toBe("killed");
  expect(errorIn("")).toBe("wrangler failed without a word.");
});

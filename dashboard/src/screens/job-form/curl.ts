// The same request as a command: to keep it, or to put it into a script.

import { fieldsToJson } from "../../../../sdk/src/raw-json.ts";
import type { Body } from "./body.ts";

/** Nothing within single quotes means anything to a shell but a single quote. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** The key stays a variable: it is not known here, and would not belong into a history. */
export const curlOf = (serviceUrl: string, body: Body): string =>
  [
    `curl ${quoted(`${serviceUrl}/v1/jobs`)}`,
    `-H "Authorization: Bearer $CHRONOS_API_KEY"`,
    `-H 'Content-Type: application/json'`,
    `-d ${quoted(fieldsToJson({ ...body }))}`,
  ].join(" \\\n  ");

// What an operation answers: its success, its refusals, and the headers beside them.

import type { ErrorCode } from "../http/errors.ts";
import { DATA_EXAMPLES } from "./data-examples.ts";
import type { EnvelopeAnswer, FileAnswer, Operation } from "./operation.ts";
import { byStatus, exampleOf, REFUSALS } from "./refusals.ts";

const component = (kind: string, name: string) => ({ $ref: `#/components/${kind}/${name}` });
const schemaOf = (name: string) => component("schemas", name);

/** Everything that can come back, by status. */
export function responsesOf({ answer }: Operation, refusals: readonly ErrorCode[]): Record<string, object> {
  return {
    ...("otherwise" in answer && { 200: successOf(otherwiseOf(answer)) }),
    [String("status" in answer && answer.status ? answer.status : 200)]: successOf(answer),
    ...Object.fromEntries([...byStatus(refusals)].map(([status, codes]) => [String(status), refusalOf(status, codes)])),
    default: component("responses", "Refused"),
  };
}

const otherwiseOf = (answer: EnvelopeAnswer): EnvelopeAnswer => ({
  ...answer,
  data: answer.otherwiseData ?? answer.data,
  message: answer.otherwise ?? answer.message,
});

function successOf(answer: EnvelopeAnswer | FileAnswer): object {
  const headers = { "X-Request-Id": component("headers", "X-Request-Id") };
  if ("types" in answer) {
    const schema = { type: answer.types[0] === "application/json" ? "object" : "string" };
    return {
      description: answer.message,
      headers,
      content: Object.fromEntries(answer.types.map((type) => [type, { schema }])),
    };
  }
  const json = { schema: envelopeOf(answer), example: envelopeExample(answer) };
  return { description: answer.message, headers, content: { "application/json": json } };
}

function envelopeOf({ data, as }: EnvelopeAnswer): object {
  const one = schemaOf(data);
  const list = { type: "array", items: one };
  const shown = as === "claimed" ? { anyOf: [one, { type: "null" }, list] } : as === undefined ? one : list;
  const meta = { type: "object", required: ["paging"], properties: { paging: schemaOf("Paging") } };
  return {
    type: "object",
    required: ["success", "message", "data", ...(as === "page" ? ["meta"] : [])],
    properties: {
      success: { type: "boolean", const: true },
      message: { type: "string" },
      data: shown,
      ...(as === "page" && { meta }),
    },
  };
}

function envelopeExample({ data, as, message }: EnvelopeAnswer): object {
  const one = DATA_EXAMPLES[data];
  const shown = as === "page" || as === "all" ? [one] : one;
  return { success: true, message, data: shown, ...(as === "page" && { meta: { paging: DATA_EXAMPLES.Paging } }) };
}

/** Refusals that show what stands in the way. */
const WITH_DATA: ReadonlySet<ErrorCode> = new Set(["idempotency_key_conflict", "precondition_failed"]);

function refusalOf(status: number, codes: readonly ErrorCode[]): object {
  const names = new Set(codes.map((code) => (WITH_DATA.has(code) ? "RefusalWithData" : "Refusal")));
  const [schema, ...others] = [...names].map(schemaOf);
  const headers = {
    "X-Request-Id": component("headers", "X-Request-Id"),
    ...((status === 429 || status === 503) && { "Retry-After": component("headers", "Retry-After") }),
  };
  return {
    description: codes.map((code) => `\`${code}\`: ${REFUSALS[code].when}`).join(" "),
    headers,
    content: {
      "application/json": {
        schema: others.length > 0 ? { anyOf: [schema, ...others] } : schema,
        examples: examplesOf(codes),
      },
    },
  };
}

const examplesOf = (codes: readonly ErrorCode[]) =>
  Object.fromEntries(codes.map((code) => [code, component("examples", code)]));

/** The examples of all refusals, for the document's components. */
export const refusalExamples = (codes: readonly ErrorCode[]): Record<string, object> =>
  Object.fromEntries(
    codes.map((code) => {
      const data = WITH_DATA.has(code) ? { data: DATA_EXAMPLES.Job } : {};
      return [code, { summary: REFUSALS[code].when, value: { ...exampleOf(code), ...data } }];
    }),
  );

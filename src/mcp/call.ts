// A call of a tool is a request to the API, which checks it as any other: key, scope, rate, schema.

import type { Arguments } from "./arguments.ts";
import type { Tool } from "./tools.ts";

/** A request to the API, as the caller of the tool would send it. */
export type Send = (method: string, pathAndQuery: string, body: string | undefined) => Promise<Response>;

/** @returns the API's answer */
export async function called(tool: Tool, args: Arguments, send: Send): Promise<Response> {
  const path = tool.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(args[name])));
  const others = Object.entries(args).filter(([name]) => !tool.inPath.includes(name));
  const isInQuery = ([name]: [string, unknown]) => !tool.hasBody || tool.inQuery.includes(name);
  const query = new URLSearchParams(others.filter(isInQuery).flatMap(([name, value]) => parametersOf(name, value)));
  const body = Object.fromEntries(others.filter((one) => !isInQuery(one)));
  return send(tool.method, query.size > 0 ? `${path}?${query}` : path, tool.hasBody ? JSON.stringify(body) : undefined);
}

/** A list is a parameter that is given more often. Null is the same as leaving it out. */
function parametersOf(name: string, value: unknown): [string, string][] {
  if (value === null || value === undefined) return [];
  return [value].flat().map((one) => [name, typeof one === "string" ? one : JSON.stringify(one)]);
}

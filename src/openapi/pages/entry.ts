// One operation of the document, and what the reference makes of it in several places.

import type { Operation } from "./shape.ts";

/** Stands for the service's address in commands; the page's reader sees the real one. */
export const BASE = "https://service.invalid";

/** Which of the two keys an operation takes; null for one that takes none. */
export type Access = "apiKey" | "operator" | null;

export const accessOf = ({ security }: Operation): Access =>
  security === undefined ? "apiKey" : security.some((one) => "operator" in one) ? "operator" : null;

export interface Entry {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

export interface Example {
  readonly name: string;
  readonly summary: string;
  /** Undefined for a request without a body. */
  readonly body: unknown;
}

export function examplesOf({ requestBody }: Operation): readonly Example[] {
  const examples = Object.entries(requestBody?.content["application/json"]?.examples ?? {});
  if (examples.length === 0) return [{ name: "", summary: "Request", body: undefined }];
  return examples.map(([name, { summary, value }]) => ({ name, summary: summary ?? "Request", body: value }));
}

import type { JsonText } from "../../src/domain/json-text.ts";

/** A value as the text that the service carries. */
export const jsonText = (value: unknown): JsonText => JSON.stringify(value) as JsonText;

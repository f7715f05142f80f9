// A number as it is typed into a field.

/** Undefined for an empty field. What is no number stays a text: the service says what would be right. */
export function typedNumber(text: string): number | string | undefined {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  const number = Number(trimmed);
  return Number.isFinite(number) ? number : trimmed;
}

// Tags as they are typed into a field, with commas between or one on each line.

/** Undefined for none. */
export function typedTags(text: string): string[] | undefined {
  const tags = text
    .split(/[\n,]/)
    .map((tag) => tag.trim())
    .filter((tag) => tag !== "");
  return tags.length === 0 ? undefined : tags;
}

// Patterns of paths: `/jobs/:id`.

/** The named parts of a path that has the pattern's form; otherwise undefined. */
export function paramsOf(pattern: string, path: string): Record<string, string> | undefined {
  const [wanted, parts] = [pattern.split("/"), path.split("/")];
  if (wanted.length !== parts.length) return undefined;
  const params: Record<string, string> = {};
  for (const [n, want] of wanted.entries()) {
    const part = parts[n] ?? "";
    if (want.startsWith(":") && part !== "") params[want.slice(1)] = decoded(part);
    else if (want !== part) return undefined;
  }
  return params;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

// Anything that was thrown as a line of text: its message, and what caused it. "fetch failed" alone helps nobody.

/** Deeper chains are cut: they may even lead back to where they began. */
const MOST_CAUSES = 5;
const MOST_ERRORS = 3;

/** Empty when there is nothing to say. */
export function describeError(thrown: unknown): string {
  return attempted(() => withCauses(thrown)) ?? "";
}

function withCauses(thrown: unknown): string {
  const parts: string[] = [];
  let one = thrown;
  for (let depth = 0; depth <= MOST_CAUSES && one !== undefined && one !== null; depth++) {
    const message = [ownMessage(one), messagesWithin(one)].filter((text) => text !== "").join(": ");
    // Many wrap an error and repeat its message in their own.
    if (message !== "" && !parts.some((part) => part.includes(message))) parts.push(message);
    const error = one as Error;
    one = attempted(() => error.cause);
  }
  return parts.join(": ");
}

/** The name of an error; undefined when it has none. */
export function nameOfError(thrown: unknown): string | undefined {
  const name = attempted(() => (thrown as Error).name);
  return typeof name === "string" && name !== "" ? name : undefined;
}

function ownMessage(thrown: unknown): string {
  if (typeof thrown !== "object" || thrown === null) return String(thrown);
  const { message, code } = attempted(() => facts(thrown)) ?? {};
  if (typeof message === "string" && message !== "") return message;
  // A connection that fails at several addresses is an error without a message.
  if (nameOfError(thrown) !== undefined) return typeof code === "string" ? code : "";
  const text = attempted(() => String(thrown)) ?? "";
  return text === "" || text.includes("[object Object]") ? fieldsOf(thrown) : text;
}

function facts(thrown: object): { message?: unknown; code?: unknown } {
  const { message, code } = thrown as { message?: unknown; code?: unknown };
  return { message, code };
}

/** A plain object as JSON, or what can be told of one that cannot be written so. */
function fieldsOf(thrown: object): string {
  const plain = (_: string, value: unknown) => (typeof value === "bigint" ? String(value) : value);
  const json = attempted(() => JSON.stringify(thrown, plain)) ?? `an object with ${Object.keys(thrown).join(", ")}`;
  return json === "{}" ? "" : json;
}

/** Of an AggregateError. */
function messagesWithin(thrown: unknown): string {
  const errors = attempted(() => (thrown as AggregateError).errors);
  if (!Array.isArray(errors) || nameOfError(thrown) === undefined) return "";
  const messages = errors.slice(0, MOST_ERRORS).map(ownMessage);
  return messages.filter((text) => text !== "").join("; ");
}

/** Thrown values are anybody's: a getter may throw, a prototype may be missing, null has no properties. */
function attempted<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

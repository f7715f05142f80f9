// Field types that several requests share. Their `metadata` says in JSON Schema what their checks say in code: the API's
// description is made from it.

import * as v from "valibot";
import { parseInstant } from "../domain/instant.ts";
import { lengthOf } from "../domain/text.ts";
import { isTimeZone } from "../domain/time-zone.ts";
import { parseWallClock, type WallClock } from "../domain/wall-clock.ts";

/** A text of `min` to `max` characters. */
export const text = (max: number, min: 0 | 1 = 1) =>
  v.pipe(
    v.string(),
    v.metadata({ ...(min > 0 && { minLength: min }), maxLength: max }),
    v.check((value) => value.length >= min, "Must not be empty."),
    v.check((value) => value.length <= max || lengthOf(value) <= max, `Must be at most ${max} characters long.`),
  );

/** Any UUID, in lower case from then on. */
export const uuid = v.pipe(
  v.string(),
  v.metadata({ format: "uuid" }),
  v.regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i, "Must be a UUID."),
  v.toLowerCase(),
);

const AN_INSTANT = "Must be an ISO 8601 date and time with an offset, such as 2026-01-15T09:00:00Z.";

const instantOr = (refusal: (text: string) => string) =>
  v.pipe(
    v.string(),
    v.metadata({ format: "date-time" }),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const at = parseInstant(dataset.value);
      if (at !== undefined) return at;
      addIssue({ message: refusal(dataset.value) });
      return NEVER;
    }),
  );

/** An ISO 8601 date and time with an offset, as epoch milliseconds from then on. */
export const instant = instantOr(() => AN_INSTANT);

/** The same in a query, where a `+` that is not encoded arrives as a space. */
export const instantText = instantOr((text) =>
  parseInstant(text.replace(" ", "+")) === undefined
    ? AN_INSTANT
    : "The `+` of the offset must be written as `%2B` in a URL.",
);

/** An instant, or what a clock on a wall shows then. */
export type AskedMoment = { readonly at: number } | { readonly wallClock: WallClock };

/** The same, or the time on a wall clock: what has no offset needs a time zone beside it. */
export const instantOrWallClock = v.pipe(
  text(64),
  v.metadata({ examples: ["2027-03-28T09:00:00Z", "2027-03-28T09:00"] }),
  v.rawTransform(({ dataset, addIssue, NEVER }): AskedMoment => {
    const at = parseInstant(dataset.value);
    if (at !== undefined) return { at };
    const wallClock = parseWallClock(dataset.value);
    if (wallClock !== undefined) return { wallClock };
    addIssue({ message: AN_INSTANT });
    return NEVER;
  }),
);

/** The name of a time zone. */
export const timezone = v.pipe(
  text(255),
  v.check(isTimeZone, "Must be an IANA time zone, such as Europe/London or America/Los_Angeles."),
);

/** A whole number within bounds, in a JSON body. */
export const integer = (min: number, max: number) =>
  v.pipe(
    v.number(),
    v.metadata({ type: "integer", minimum: min, maximum: max }),
    v.check((value) => Number.isInteger(value) && value >= min && value <= max, wholeNumber(min, max)),
  );

/** The same in a query. */
export const integerText = (min: number, max: number) =>
  v.pipe(
    v.string(),
    v.metadata({ type: "integer", minimum: min, maximum: max }),
    v.regex(/^\d{1,9}$/, wholeNumber(min, max)),
    v.transform(Number),
    v.check((value) => value >= min && value <= max, wholeNumber(min, max)),
  );

const wholeNumber = (min: number, max: number): string =>
  max === Number.MAX_SAFE_INTEGER
    ? `Must be a whole number of at least ${min}.`
    : `Must be a whole number from ${min} to ${max}.`;

/** A query parameter that may be given more than once, each time one of these; a list from then on. */
export function oneOrMore<const T extends readonly string[]>(names: T) {
  const one = v.picklist(names);
  const single = v.pipe(
    one,
    v.transform((name) => [name]),
  );
  const several = v.pipe(v.array(one), v.minLength(1, "Must not be empty."));
  return v.union([single, several], `Must be one of ${names.join(", ")}.`);
}

/** The same for texts of up to `max` characters. */
export function oneOrMoreTexts(max: number, most: number) {
  return v.pipe(
    v.union([text(max), list(text(max), most, "texts")], `Must be a text, or up to ${most} of them.`),
    v.transform((given) => [given].flat()),
  );
}

/** A list of 1 to `most` items. Of a longer one no more are looked at than it takes to refuse it. */
export function list<const S extends v.GenericSchema>(item: S, most: number, names: string) {
  const all = v.array(item);
  const run: (typeof all)["~run"] = (dataset, config) =>
    all["~run"](
      Array.isArray(dataset.value) ? { ...dataset, value: dataset.value.slice(0, most + 1) } : dataset,
      config,
    );
  return v.pipe(
    { ...all, "~run": run },
    v.minLength(1, "Must not be empty."),
    v.maxLength(most, `Must be at most ${most} ${names}.`),
  );
}

/** A path with an id. */
export const IdParam = v.object({ id: uuid });

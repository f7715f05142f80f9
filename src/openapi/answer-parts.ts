// What the schemas of several answers are made of.

import * as v from "valibot";

export const uuid = v.pipe(v.string(), v.metadata({ format: "uuid" }));
export const time = v.pipe(v.string(), v.metadata({ format: "date-time" }));
export const count = v.pipe(v.number(), v.metadata({ type: "integer", minimum: 0 }));

// `npm run bench -- --only ceilings` runs this in a process of its own: what it finds as JSON on the standard output, how far it is on
// the other.

import { parseArgs } from "node:util";
import { measureBeside, measureCeilings } from "./ceilings.ts";
import { fullSize, onlyPart, QUICK } from "./sizes.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    databases: { type: "string", default: "1,4,16" },
    part: { type: "string" },
    beside: { type: "string" },
  },
});
const began = performance.now();
const tell = (line: string) => console.error(`${Math.round((performance.now() - began) / 1_000)} s  ${line}`);
const whole = values.quick ? QUICK : fullSize(values.databases.split(",").map(Number));
const size = onlyPart(whole, values.part);
const { beside } = values;
const found = beside ? await measureBeside(JSON.parse(beside), size.seed, tell) : await measureCeilings(size, tell);
console.log(JSON.stringify(found));

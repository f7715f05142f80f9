// `npm run bench -- --only ceilings` runs this in a process of its own: what it finds as JSON on the standard output, how far it is on
// the other.

import { parseArgs } from "node:util";
import { measureCeilings } from "./ceilings.ts";
import { QUICK } from "./sizes.ts";

const { values } = parseArgs({ options: { quick: { type: "boolean", default: false } } });
const began = performance.now();
const tell = (line: string) => console.error(`${Math.round((performance.now() - began) / 1_000)} s  ${line}`);
const ceilings = await measureCeilings(QUICK, tell);
console.log(JSON.stringify(ceilings));
void values;

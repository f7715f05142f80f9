// The places of our programs. In a clone they are sources that Node runs as they are. In the package they are bundled into one
// folder, since Node refuses to take the types out of files under node_modules.
import { extname, join, resolve } from "node:path";

/** True in the built package, false in a clone. */
export const IS_PACKED = extname(import.meta.filename) === ".js";

/** The root of the clone or of the installed package. */
export const PROJECT = resolve(import.meta.dirname, "..");

/** The built Worker of the package, with its description beside it. */
export const PACKED_WORKER = join(import.meta.dirname, "worker");

/** A program that runs as a process of its own, such as `keeper`. */
export function programPath(name: string): string {
  return join(import.meta.dirname, name + extname(import.meta.filename));
}

/** How a person calls us. */
export const commandLine = (name: string): string => {
  if (IS_PACKED) return `npx chronos-edge ${name}`;
  return name === "start" ? "npm start" : `npm run ${name}`;
};

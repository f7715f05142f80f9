// The program `chronos-edge`.

import { run } from "./program.ts";
import { systemTerminal } from "./system-terminal.ts";

const exitCode = await run(process.argv.slice(2), systemTerminal());
// The programs of local/ set it themselves.
if (exitCode !== 0) process.exitCode = exitCode;

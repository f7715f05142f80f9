// The program `chronos-edge`.

import { run } from "./program.ts";
import { systemTerminal } from "./system-terminal.ts";

process.exitCode = await run(process.argv.slice(2), systemTerminal());

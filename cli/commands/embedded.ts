// `chronos-edge start` and its siblings: programs of local/, each loaded only when it is asked for.

import type { Command } from "commander";

export function embeddedCommands(program: Command): void {
  program
    .command("start")
    .description("run the service on this machine; the environment holds its settings")
    .action(load(() => import("../../local/start.ts")));
  program
    .command("dev")
    .description("the same with reload, in a clone of the repository")
    .action(load(() => import("../../local/dev.ts")));
  program
    .command("demo")
    .description("half a minute of everything, on a state of its own")
    .action(load(() => import("../../local/demo.ts")));
  program
    .command("receive")
    .description("print the deliveries that jobs push to this machine")
    .action(load(() => import("../../local/receive.ts")));
}

const load = (program: () => Promise<unknown>) => async (): Promise<void> => {
  await program();
};

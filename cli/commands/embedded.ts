// `chronos-edge start` and its siblings: programs of local/, each loaded only when it is asked for.

import type { Command } from "commander";

export function embeddedCommands(program: Command): void {
  program
    .command("start")
    .description("run the service on this machine; settings come from the environment, see docs/self-hosting.md")
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
  program
    .command("backup")
    .description("copy everything the service remembers, while it runs or not")
    .argument("<target>", "a folder, or a file that ends in .tar, .tar.gz or .tgz")
    .action(async (target: string) => (await import("../../local/backup/commands.ts")).backup(target));
  program
    .command("restore")
    .description("bring a copy back into an empty state folder (CHRONOS_STATE)")
    .argument("<copy>", "what `chronos-edge backup` has made")
    .action(async (copy: string) => (await import("../../local/backup/commands.ts")).restore(copy));
}

const load = (program: () => Promise<unknown>) => async (): Promise<void> => {
  await program();
};

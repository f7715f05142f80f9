// The common part of `npm start` and `npm run dev`: settings, state folder, secrets, and an orderly end.
import { dropForeignSettings } from "./environment.ts";
import { outliveReaders } from "./output.ts";
import { freePort } from "./port.ts";
import { loadSecrets, type Secrets } from "./secrets.ts";
import { readSettings, type Settings, StartError, servedAt } from "./settings.ts";
import { openStateFolder, type StateFolder } from "./state-folder.ts";

export interface Prepared {
  /** With the port that will really be served. */
  settings: Settings;
  state: StateFolder;
  secrets: Secrets;
  /** Aborts when the process is asked to stop, or must. */
  stop: AbortSignal;
}

/** Runs a server until it is asked to stop, then exits: 0 after an orderly stop, 1 if it could not serve. */
export async function runMain(serve: (prepared: Prepared) => Promise<void>): Promise<never> {
  outliveReaders();
  dropForeignSettings(process.env);
  const asked = stopSignal();
  let state: StateFolder | undefined;
  let failure: unknown;
  try {
    const settings = readSettings(process.env);
    state = await openStateFolder(settings.stateFolder);
    const port = await freePort(settings.port, settings.host);
    const secrets = loadSecrets(state.path, settings.secrets);
    const stop = AbortSignal.any([asked, state.lost]);
    await serve({ settings: servedAt(settings, port), state, secrets, stop });
  } catch (error) {
    if (!asked.aborted) failure = error;
  }
  if (state?.lost.aborted) failure = state.lost.reason;
  await state?.release();
  if (failure === undefined) process.exit(0);
  console.error(failure instanceof StartError ? failure.message : failure);
  process.exit(1);
}

/** Aborts at the first stop signal. Later ones are ignored: npm repeats the Ctrl-C that the terminal has sent already. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => controller.abort());
  return controller.signal;
}

// `npm run demo`: half a minute of everything, on a fresh state that is gone afterwards. Ends with 0 only if everything
// ended as it should and every delivery was signed.
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { openReceiver, type Receiver } from "./demo/receiver.ts";
import { makeScenes, type Scene } from "./demo/scenes.ts";
import { draw, isAsWanted, paint, type Standing } from "./demo/screen.ts";
import { startService } from "./demo/service.ts";
import { dropForeignSettings } from "./environment.ts";
import { outliveReaders } from "./output.ts";
import { commandLine } from "./packed.ts";
import { printableLines } from "./printable.ts";

/** A key may ask a hundred times in ten seconds. */
const LOOK_EVERY_MS = 120;
const LIMIT_MS = 30_000;

outliveReaders();
dropForeignSettings(process.env);
const begunAt = Date.now();
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort());

const service = startService();
const interrupted = once(stop.signal, "abort").then(() => "Stopped.");
const failure = await Promise.race([show(), interrupted]).catch((error: Error) => error.message);
await service.stop();
if (failure) console.error(paint("red", `\n${printableLines(failure)}\n`));
process.exit(stop.signal.aborted ? 130 : failure ? 1 : 0);

/** @returns what went wrong; empty if nothing did */
async function show(): Promise<string> {
  console.log(paint("bold", "\nChronos: call me back at time T, reliably.\n"));
  console.log("Starting the service on a fresh state …");
  const account = await service.ready;
  console.log(`It serves at ${account.url}. Seven things to do:\n`);
  const receiver = await openReceiver(account.signing_secret);
  const { scenes, followUps } = await makeScenes(account, receiver, stop.signal);
  const [standings] = await Promise.all([watch(scenes), followUps]);
  const wrong = verdict(standings, receiver);
  if (wrong.length > 0) return wrong.join("\n");
  const { deliveries } = receiver.total();
  const seconds = ((Date.now() - begunAt) / 1_000).toFixed(1);
  console.log(paint("green", `\nAll as it should be: ${deliveries} deliveries, each with a right signature.`));
  console.log(`${seconds} seconds. The state is gone again; ${commandLine("start")} keeps one.\n`);
  return "";
}

/** Looks at one scene after the other until each stands as it should, or time is up; then at all once more. */
async function watch(scenes: readonly Scene[]): Promise<Standing[]> {
  const look = async (scene: Scene): Promise<Standing> => ({ scene, state: await scene.read() });
  const standings = await Promise.all(scenes.map(look));
  draw(standings);
  const deadline = Date.now() + LIMIT_MS;
  while (Date.now() < deadline && !standings.every(isAsWanted)) {
    for (const standing of standings.filter((one) => !isAsWanted(one))) {
      await sleep(LOOK_EVERY_MS);
      standing.state = await standing.scene.read();
      draw(standings);
    }
  }
  return Promise.all(scenes.map(look));
}

function verdict(standings: readonly Standing[], receiver: Receiver): string[] {
  const told = ([status, runs, deliveries]: Scene["wanted"]) => `${status}, runs ${runs}, deliveries ${deliveries}`;
  const wrong = standings
    .filter((standing) => !isAsWanted(standing))
    .map(({ scene, state }) => `"${scene.title}" should be: ${told(scene.wanted)}. It is: ${told(state)}.`);
  const { deliveries, unsigned } = receiver.total();
  return unsigned === 0 ? wrong : [...wrong, `${unsigned} of ${deliveries} deliveries have a wrong signature.`];
}

// The same small programs in the real workerd and in the world: they must see the same.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundle } from "../platform/bundle.ts";
import { Chance } from "../platform/chance.ts";
import { Platform } from "../platform/platform.ts";
import { Weather } from "../weather.ts";

const ENTRY = join(import.meta.dirname, "probe.ts");
const STARTS_AT = Date.UTC(2030, 0, 15);

/** Those of the file: it cannot be loaded here, since Node has no `cloudflare:workers`. */
const names: readonly string[] = [...(await sourceOf()).matchAll(/^ {2}"([^"]+)": (?:async )?\(.*=>/gm)].flatMap(
  ([, name = ""]) => name,
);

async function sourceOf(): Promise<string> {
  const text = await import("node:fs/promises").then(({ readFile }) => readFile(ENTRY, "utf8"));
  return text.slice(text.indexOf("export const PROGRAMS"));
}

let real: Map<string, unknown>;
let simulated: Map<string, unknown>;

beforeAll(async () => {
  [real, simulated] = await Promise.all([inWorkerd(), inTheWorld()]);
}, 60_000);

describe("the world shows what workerd shows", () => {
  it("knows the programs", () => {
    expect(names.length).toBeGreaterThanOrEqual(40);
    expect([...real.keys()].sort()).toEqual([...names].sort());
  });

  it.each(names)("%s", (name) => {
    expect(simulated.get(name)).toEqual(real.get(name));
    expect(real.get(name)).not.toHaveProperty("threw");
  });
});

const folder = mkdtempSync(join(tmpdir(), "fidelity-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** All at once: most of them wait for alarms. */
async function inWorkerd(): Promise<Map<string, unknown>> {
  const built = await build({
    entryPoints: [ENTRY],
    bundle: true,
    write: false,
    format: "esm",
    external: ["cloudflare:workers"],
  });
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: [{ type: "ESModule", path: "probe.js", contents: built.outputFiles[0]?.text ?? "" }],
      compatibilityDate: "2026-10-01",
      durableObjects: { PROBES: { className: "Probe", useSQLite: true } },
      d1Databases: ["DB"],
      resourcePersistencePath: folder,
    }),
  );
  try {
    const ask = async (name: string) => {
      const answer = await miniflare.dispatchFetch(`http://probe.test/?program=${encodeURIComponent(name)}`);
      return [name, await answer.json()] as const;
    };
    return new Map(await Promise.all(names.map(ask)));
  } finally {
    await miniflare.dispose();
  }
}

async function inTheWorld(): Promise<Map<string, unknown>> {
  const platform = new Platform({
    seed: 1,
    startsAt: STARTS_AT,
    bundles: [await bundle("probe", [], ENTRY)],
    classes: { PROBES: "Probe" },
    fates: (timeline) => new Weather(timeline, new Map(), new Chance(1), STARTS_AT),
    arrives: () => ({ afterMs: 1, status: 200 }),
    note: () => {},
    log: () => {},
  });
  const seen = new Map<string, unknown>();
  const asked = names.map(async (name) => {
    seen.set(name, (await platform.call("GET", `/?program=${encodeURIComponent(name)}`))?.body);
  });
  void Promise.all(asked).then(() => platform.timeline.stop());
  await platform.timeline.run(STARTS_AT + 60_000);
  return seen;
}

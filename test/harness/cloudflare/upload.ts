// The upload of a Worker: a multipart form of metadata and a file for each module.
import { randomBytes, randomUUID } from "node:crypto";
import { type Binding, deployedOf, type Module, type Script, type Version } from "./state.ts";

export const newScript = (): Script => ({
  tag: randomBytes(16).toString("hex"),
  tags: [],
  migrationTag: null,
  versions: [],
  deployments: [],
  schedules: [],
  onWorkersDev: false,
  domains: [],
});

interface Upload {
  readonly version: Version;
  /** Which migration of the Durable Object classes it brings, and after which one. */
  readonly migrationTag: string | null;
  readonly oldTag: string | null;
}

/** The version that the form makes of a script. Secrets that are not given again are kept. */
export async function uploaded(form: FormData, script: Script): Promise<Upload> {
  const metadata = JSON.parse(await textOf(form.get("metadata")));
  const modules: Module[] = [];
  for (const [name, part] of form) {
    if (!(part instanceof File) || part.type === "application/source-map" || name === "metadata") continue;
    const type = part.type.startsWith("application/javascript") ? "ESModule" : "Data";
    modules.push({ name, type, contents: new Uint8Array(await part.arrayBuffer()) });
  }
  const before = deployedOf(script)?.bindings ?? [];
  const given = (metadata.bindings as Binding[]).map((binding) =>
    binding.type === "inherit" ? (before.find(({ name }) => name === binding.name) ?? binding) : binding,
  );
  const kept = before.filter(
    ({ type, name }) => metadata.keep_bindings?.includes(type) && !given.some((binding) => binding.name === name),
  );
  const version = {
    id: randomUUID(),
    bindings: [...given, ...kept],
    modules,
    main: metadata.main_module,
    compatibilityDate: metadata.compatibility_date,
    compatibilityFlags: metadata.compatibility_flags,
  };
  const { new_tag = null, old_tag = null } = metadata.migrations ?? {};
  return { version, migrationTag: new_tag, oldTag: old_tag };
}

async function textOf(part: File | string | null): Promise<string> {
  return part instanceof File ? part.text() : (part ?? "");
}

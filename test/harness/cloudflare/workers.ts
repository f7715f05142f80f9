// The part of the API that is about Workers: uploads, versions, deployments, and what calls them.
import { randomUUID } from "node:crypto";
import type { Context } from "hono";
import { refusal, result } from "./answers.ts";
import { type Binding, deployedOf, type Script, type State } from "./state.ts";
import { newScript, uploaded } from "./upload.ts";

/** Adds a route below the account. */
export type On = (method: string, path: string, handle: (c: Context) => Response | Promise<Response>) => void;

export function addWorkers(state: State, on: On): void {
  const scriptOf = (c: Context) => state.scripts.get(c.req.param("script") ?? "");
  const missing = (c: Context) => refusal(c, 404, 10007, "This Worker does not exist on your account.");
  const inScript = (handle: (c: Context, script: Script) => Response | Promise<Response>) => (c: Context) => {
    const script = scriptOf(c);
    return script === undefined ? missing(c) : handle(c, script);
  };

  on("GET", "/workers/services/:script", (c) => {
    const script = scriptOf(c);
    if (script === undefined) return refusal(c, 404, 10090, "This service does not exist on your account.");
    const { tag, tags, migrationTag } = script;
    const shown = {
      tag,
      tags,
      last_deployed_from: "wrangler",
      ...(migrationTag ? { migration_tag: migrationTag } : {}),
    };
    return result(c, { default_environment: { environment: "production", script: shown } });
  });
  on("GET", "/workers/subdomain", (c) =>
    state.subdomain === null
      ? refusal(c, 404, 10007, "There is no subdomain.")
      : result(c, { subdomain: state.subdomain }),
  );
  on(
    "GET",
    "/workers/scripts/:script/secrets",
    inScript((c, script) => {
      const secrets = (deployedOf(script)?.bindings ?? []).filter(({ type }) => type === "secret_text");
      return result(
        c,
        secrets.map(({ name, type }) => ({ name, type })),
      );
    }),
  );
  on(
    "GET",
    "/workers/scripts/:script/settings",
    inScript((c, script) => result(c, { bindings: (deployedOf(script)?.bindings ?? []).map(hidden) })),
  );
  on(
    "GET",
    "/workers/scripts/:script/deployments",
    inScript((c, { deployments }) => {
      const shown = deployments.map((id) => ({
        id: randomUUID(),
        source: "wrangler",
        strategy: "percentage",
        versions: [{ version_id: id, percentage: 100 }],
      }));
      return result(c, { deployments: shown.reverse() });
    }),
  );
  on(
    "POST",
    "/workers/scripts/:script/deployments",
    inScript(async (c, script) => {
      const { versions } = await c.req.json();
      script.deployments.push(versions[0].version_id);
      return result(c, { id: randomUUID() });
    }),
  );
  on(
    "GET",
    "/workers/scripts/:script/versions/:version",
    inScript((c, script) => {
      const version = script.versions.find(({ id }) => id === c.req.param("version"));
      if (version === undefined) return refusal(c, 404, 10007, "There is no such version.");
      return result(c, { id: version.id, metadata: {}, resources: { bindings: version.bindings.map(hidden) } });
    }),
  );
  on(
    "POST",
    "/workers/scripts/:script/versions",
    inScript(async (c, script) => {
      const { version } = await uploaded(await c.req.formData(), script);
      script.versions.push(version);
      return result(c, { id: version.id, startup_time_ms: 1, resources: { script: { etag: "e" } } });
    }),
  );
  on("PUT", "/workers/scripts/:script", async (c) => {
    const name = c.req.param("script") ?? "";
    const script = scriptOf(c) ?? newScript();
    const { version, migrationTag, oldTag } = await uploaded(await c.req.formData(), script);
    if (migrationTag !== null && oldTag !== script.migrationTag)
      return refusal(c, 409, 10079, `Migration tag precondition failed; the current tag is ${script.migrationTag}`);
    script.versions.push(version);
    script.deployments.push(version.id);
    script.migrationTag = migrationTag ?? script.migrationTag;
    state.scripts.set(name, script);
    return result(c, { id: name, etag: "e", deployment_id: version.id.replaceAll("-", ""), startup_time_ms: 1 });
  });
  on(
    "PATCH",
    "/workers/scripts/:script/script-settings",
    inScript(async (c, script) => {
      const { tags } = await c.req.json();
      script.tags = tags ?? script.tags;
      return result(c, {});
    }),
  );
  on(
    "GET",
    "/workers/workers/:script",
    inScript((c, { onWorkersDev }) => result(c, { subdomain: { enabled: onWorkersDev, previews_enabled: false } })),
  );
  on(
    "POST",
    "/workers/scripts/:script/subdomain",
    inScript(async (c, script) => {
      const { enabled } = await c.req.json();
      script.onWorkersDev = enabled;
      return result(c, { enabled, previews_enabled: false });
    }),
  );
  on(
    "PUT",
    "/workers/scripts/:script/schedules",
    inScript(async (c, script) => {
      script.schedules = ((await c.req.json()) as { cron: string }[]).map(({ cron }) => cron);
      return result(c, { schedules: [] });
    }),
  );
  on(
    "POST",
    "/workers/scripts/:script/domains/changeset",
    inScript((c) => result(c, { added: [], removed: [], updated: [], conflicting: [] })),
  );
  on(
    "PUT",
    "/workers/scripts/:script/domains/records",
    inScript(async (c, script) => {
      const { origins } = (await c.req.json()) as { origins: { hostname: string }[] };
      script.domains = origins.map(({ hostname }) => hostname);
      return result(c, {});
    }),
  );
}

const hidden = ({ text, ...binding }: Binding) =>
  binding.type === "secret_text" || text === undefined ? binding : { ...binding, text };

// The deployment's part of the target rules.

import type { TargetRules } from "../domain/target.ts";

/** @param reachedAs the host this request came in under, where there is one: it is the service's own too */
export function targetRules(env: Cloudflare.Env, reachedAs?: string): TargetRules {
  const named = env.PUBLIC_HOSTS.split(",").map((host) => host.trim().toLowerCase());
  const ownHosts = [...named, reachedAs ?? ""].filter((host) => host !== "");
  return { allowLocal: env.ALLOW_LOCAL_TARGETS === "true", ownHosts };
}

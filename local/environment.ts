// What the environment may decide: the variables in settings.ts, and what is the system's. wrangler reads dozens of its own,
// and each would overrule the state folder without a word.

const TOOLS_OWN = /^(CLOUDFLARE|WRANGLER)_/i;
const PROXIES = /^(HTTP|HTTPS|ALL)_PROXY$/i;

/** Takes those variables out of the environment of this process and its children. Comes before wrangler is loaded. */
export function dropForeignSettings(env: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(env)) if (TOOLS_OWN.test(name) || PROXIES.test(name)) delete env[name];
  // We only call ourselves. Node has read the proxies at its start where NODE_USE_ENV_PROXY is set, and reads this one late.
  delete env.no_proxy;
  env.NO_PROXY = "*";
}

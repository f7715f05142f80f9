// Decisions of the person who deploys: account, plan, location, domain. Each comes from an option, from the deployed Worker, or
// from a question at a terminal.
import { type Ask, choose } from "./ask.ts";
import { type Account, accountsOf, type Worker } from "./cloudflare.ts";
import type { WranglerConfig } from "./config.ts";
import { DeployError } from "./deploy-error.ts";
import { LOCATIONS, type Location, locationNear, WHERE } from "./location.ts";
import { type Options, SUBREQUESTS } from "./options.ts";
import type { Wrangler } from "./wrangler.ts";

export interface Chooser {
  options: Options;
  ask: Ask;
}

/** The account that is deployed to; named only if Cloudflare had to be asked. */
export async function chooseAccount({ options, ask }: Chooser, config: WranglerConfig, wrangler: Wrangler) {
  const id = typeof config.account_id === "string" ? config.account_id : options.accountId;
  if (id !== null) return { id, name: "" };
  const accounts = await accountsOf(wrangler);
  const [first, ...more] = accounts;
  if (first === undefined)
    throw new DeployError("Your sign-in reaches no account. If it is an API token, set CLOUDFLARE_ACCOUNT_ID as well.");
  if (more.length === 0) return first;
  const list = accounts.map(({ id, name }) => `  ${id}  ${name}`).join("\n");
  if (options.place !== "terminal")
    throw new DeployError(`You have several accounts. Set CLOUDFLARE_ACCOUNT_ID to one of these:\n${list}`);
  const numbered = accounts.map(({ name }, i) => `  ${i + 1}  ${name}`).join("\n");
  const numbers = accounts.map((_, i) => `${i + 1}`);
  const number = await choose(ask, `\nYou have several accounts:\n${numbered}\nWhich one?`, numbers, "1");
  return accounts[Number(number) - 1] as Account;
}

/**
 * How many calls an invocation may make: the Free plan's 50, or more. Cloudflare does not say which plan an account has to
 * whoever may only deploy, so it is said or asked once, and read from the deployed Worker afterwards.
 */
export async function chooseSubrequests({ options, ask }: Chooser, config: WranglerConfig, worker: Worker | null) {
  const { SUBREQUESTS: written = SUBREQUESTS.paid } = config.vars;
  if (options.plan !== null) return SUBREQUESTS[options.plan];
  if (written !== SUBREQUESTS.paid) return written;
  const deployed = worker?.vars.SUBREQUESTS;
  if (deployed !== undefined) return deployed;
  if (options.place !== "terminal") return written;
  return SUBREQUESTS[
    await choose(ask, "Which Workers plan does the account have, free or paid?", ["free", "paid"], "free")
  ];
}

/** Where a new database is made; null leaves it to Cloudflare, which takes a place close to the caller. */
export async function chooseLocation({ options, ask }: Chooser, config: WranglerConfig): Promise<Location | null> {
  const written = LOCATIONS.find((location) => location === config.vars.LOCATION_HINT);
  const said = options.location ?? written;
  if (said !== undefined) return said;
  const near = locationNear(Intl.DateTimeFormat().resolvedOptions().timeZone, new Date().getTimezoneOffset());
  if (options.place !== "terminal") return near;
  const places = LOCATIONS.map((location) => `  ${location}  ${WHERE[location]}`).join("\n");
  return choose(
    ask,
    `\nWhere shall the jobs be kept? It cannot be changed later.\n${places}\nLocation?`,
    LOCATIONS,
    near ?? "weur",
  );
}

/**
 * A custom domain takes its name over from whatever has it: wrangler asks before that, but only at a terminal of its own.
 * @throws {DeployError} when the answer is no
 */
export async function confirmDomain({ options, ask }: Chooser, worker: Worker | null): Promise<void> {
  const { domain, place } = options;
  const own = (worker?.vars.PUBLIC_HOSTS ?? "").split(",");
  if (domain === null || own.includes(domain) || place !== "terminal") return;
  const question = `\n${domain} becomes an address of this service. A DNS record or a Worker that has the name now loses it.\nGo on?`;
  if ((await choose(ask, question, ["yes", "no"], "no")) === "yes") return;
  throw new DeployError(`${domain} is left as it is. Choose another domain, or leave CHRONOS_DOMAIN out.`);
}

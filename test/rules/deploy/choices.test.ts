// Options come first, then the deployed Worker, then answers at a terminal. Nobody is asked anywhere else.

import { expect, it } from "vitest";
import { chooseAccount, chooseLocation, chooseSubrequests, confirmDomain } from "../../../deploy/choices.ts";
import type { Worker } from "../../../deploy/cloudflare.ts";
import { readConfig } from "../../../deploy/config.ts";
import { type Options, readOptions } from "../../../deploy/options.ts";
import type { Wrangler } from "../../../deploy/wrangler.ts";
import { PROJECT } from "../../../local/settings.ts";

const config = readConfig(PROJECT, null);
const NOBODY = async () => {
  throw new Error("nobody may be asked");
};

/** Somebody at a terminal who gives these answers, one after the other; an empty one takes what is offered. */
const answering = (...answers: string[]) => ({
  options: optionsAt("terminal"),
  ask: async (_: string, fallback: string) => answers.shift() || fallback,
});

function optionsAt(place: Options["place"], more: Partial<Options> = {}): Options {
  const options = readOptions([], {} as NodeJS.ProcessEnv, false);
  if (options === null) throw new Error("no options");
  return { ...options, place, ...more };
}

const script = (more: Partial<Options> = {}) => ({ options: optionsAt("script", more), ask: NOBODY });
const withVars = (vars: Record<string, string>) => ({ ...config, vars: { ...config.vars, ...vars } });
const deployed = (vars: Record<string, string>): Worker => ({ vars, secrets: [], databases: [], isChronos: true });

const signedInTo = (...names: string[]) => {
  const accounts = names.map((name) => ({ id: `id of ${name}`, name }));
  return { run: NOBODY, stop: () => {}, json: async () => ({ accounts }) } as unknown as Wrangler;
};

it("the plan is what was said, what the file says, what is deployed, or what is answered", async () => {
  const free = deployed({ SUBREQUESTS: "50" });
  expect(await chooseSubrequests(script({ plan: "paid" }), withVars({ SUBREQUESTS: "50" }), free)).toBe("10000");
  expect(await chooseSubrequests(script(), withVars({ SUBREQUESTS: "200" }), free)).toBe("200");
  expect(await chooseSubrequests(script(), config, free)).toBe("50");
  expect(await chooseSubrequests(script(), config, null)).toBe("10000");
  expect(await chooseSubrequests(answering("gold", "paid"), config, null)).toBe("10000");
  expect(await chooseSubrequests(answering(""), config, null)).toBe("50");
});

it("the place is what was said, what the file says, or what is answered", async () => {
  expect(await chooseLocation(script({ location: "oc" }), withVars({ LOCATION_HINT: "apac" }))).toBe("oc");
  expect(await chooseLocation(script(), withVars({ LOCATION_HINT: "apac" }))).toBe("apac");
  expect(await chooseLocation(answering("WNAM"), config)).toBe("wnam");
});

it("the account is the one that was named, the only one, or one of a list", async () => {
  const named = await chooseAccount(script({ accountId: "mine" }), config, signedInTo("A", "B"));
  expect(named).toEqual({ id: "mine", name: "" });
  expect(await chooseAccount(script(), config, signedInTo("A"))).toEqual({ id: "id of A", name: "A" });
  expect(await chooseAccount(answering("3", "2"), config, signedInTo("A", "B"))).toMatchObject({ name: "B" });
  await expect(chooseAccount(script(), config, signedInTo("A", "B"))).rejects.toThrow(
    /CLOUDFLARE_ACCOUNT_ID.*id of B/s,
  );
  await expect(chooseAccount(script(), config, signedInTo())).rejects.toThrow("reaches no account");
});

it("a domain is taken over after a yes only, and once it is the service's own without a question", async () => {
  const wants = (answer: string) => ({
    ...answering(answer),
    options: optionsAt("terminal", { domain: "a.example.com" }),
  });
  await expect(confirmDomain(wants("yes"), null)).resolves.toBeUndefined();
  await expect(confirmDomain(wants(""), null)).rejects.toThrow("a.example.com is left as it is");
  const own = deployed({ PUBLIC_HOSTS: "x.workers.dev,a.example.com" });
  await expect(confirmDomain({ ...wants(""), ask: NOBODY }, own)).resolves.toBeUndefined();
  await expect(confirmDomain(script({ domain: "a.example.com" }), null)).resolves.toBeUndefined();
});

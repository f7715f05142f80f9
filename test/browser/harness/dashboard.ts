// The dashboard in Debian's Chromium. Every page is guarded: a violation of the CSP, an error in the console, an exception or a
// request to anybody but the service fails the test that opened it.

import type { Browser, BrowserContextOptions, Page, Request } from "playwright-core";
import { expect, inject, it as plainIt } from "vitest";
import { Tenant } from "../../harness/tenant.ts";
import { launchChromium, signIn } from "./chromium.ts";
import type { StoredAccount } from "./store-story.ts";

const TELL_VIOLATIONS = `addEventListener("securitypolicyviolation", (e) => console.error("CSP:", e.violatedDirective, e.blockedURI))`;

/** The account in which 50,000 jobs are stored. */
export const storedAccount = (): StoredAccount => inject("dashboardAccount");

/** A client of that account. */
export const storedTenant = (): Tenant =>
  new Tenant({ url: inject("dashboardUrl"), id: storedAccount().id, apiKey: nextKey(), signingSecret: "" });

/** An account without anything. */
export async function newTenant(): Promise<Tenant> {
  const url = inject("dashboardUrl");
  const operator = new Tenant({ url, id: "", apiKey: inject("adminToken"), signingSecret: "" });
  type Made = { id: string; api_key: string; signing_secret: string };
  const made = await operator.post<Made>("/v1/admin/accounts", { name: "a tenant" });
  return new Tenant({ url, id: made.id, apiKey: made.api_key, signingSecret: made.signing_secret });
}

let keysUsed = Math.floor(Math.random() * 1_000);

/** In turns: a key may ask a hundred times in ten seconds. */
export function nextKey(): string {
  const { apiKeys } = storedAccount();
  return apiKeys[keysUsed++ % apiKeys.length] ?? "";
}

export interface VisitOptions extends BrowserContextOptions {
  /** Whose dashboard it is: one of the stored account's keys, unless told otherwise; null: nobody signs in. */
  readonly apiKey?: string | null;
  readonly readOnly?: boolean;
  /** Done with the page before anything is loaded. */
  readonly before?: (page: Page) => Promise<void>;
  /** Complaints in the console that are part of the test, such as a refusal by the service. */
  readonly allow?: RegExp;
}

export interface Visit {
  readonly page: Page;
  readonly url: string;
  /** Requests to the API since the page was opened, or since they were last taken. */
  takeAsked(): string[];
}

export type Open = (path: string, options?: VisitOptions) => Promise<Visit>;

interface Fixtures {
  readonly browser: Browser;
  readonly open: Open;
}

export const it = plainIt.extend<Fixtures>({
  browser: [
    // biome-ignore lint/correctness/noEmptyPattern: vitest reads from the pattern that nothing is needed
    async ({}, use) => {
      const browser = await launchChromium();
      await use(browser);
      await browser.close();
    },
    { scope: "file" },
  ],
  open: async ({ browser }, use) => {
    const closing: (() => Promise<void>)[] = [];
    const complaints: string[] = [];
    const url = inject("dashboardUrl");
    await use(async (path, { apiKey = nextKey(), readOnly = false, before, allow, ...options } = {}) => {
      const context = await browser.newContext({ baseURL: url, ...options });
      closing.push(() => context.close());
      context.setDefaultTimeout(15_000);
      const complain = (text: string) => {
        if (!allow?.test(text)) complaints.push(text);
      };
      await context.addInitScript({ content: TELL_VIOLATIONS });
      if (apiKey !== null) await signIn(context.request, url, apiKey, readOnly);
      const page = await context.newPage();
      let asked: string[] = [];
      page.on("request", (request) => {
        if (isForeign(request, url)) complain(`Foreign request: ${request.url()}`);
        if (isOfApi(request)) asked.push(`${request.method()} ${request.url().slice(url.length)}`);
      });
      page.on("pageerror", (error) => complain(`${error.stack ?? error}`));
      page.on("console", (line) => {
        if (line.type() === "error") complain(line.text());
      });
      await before?.(page);
      await page.goto(path);
      const takeAsked = () => {
        const taken = asked;
        asked = [];
        return taken;
      };
      return { page, url, takeAsked };
    });
    for (const close of closing) await close();
    expect(complaints).toEqual([]);
  },
});

const isForeign = (request: Request, url: string): boolean =>
  !/^(data|blob|about):/.test(request.url()) && !request.url().startsWith(`${url}/`);

const isOfApi = (request: Request): boolean => ["fetch", "xhr"].includes(request.resourceType());

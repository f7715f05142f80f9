// What holds for every screen: it asks for little, shows hostile names as text, can be walked through with the keyboard, and axe finds
// nothing. That it violates no policy and asks nobody else is seen to by the harness.

import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright-core";
import { beforeAll, describe, expect } from "vitest";
import { it, storedTenant } from "./harness/dashboard.ts";
import { type Known, knownOf, patternsOfDashboard, SCREENS } from "./harness/screens.ts";

/** To open a screen, the question for the session included. */
const MAX_REQUESTS = 5;

const WIDE = { width: 1280, height: 900 };
/** 1280 px at 200 %. */
const AT_200_PERCENT = { width: 640, height: 450 };
const NARROW = { width: 320, height: 640 };

/** What another colour scheme of the same layout can break. */
const OF_COLOURS = ["color-contrast", "link-in-text-block"];

let known: Known;
beforeAll(async () => {
  known = await knownOf(storedTenant());
});

it("all screens are looked at", () => {
  expect(SCREENS.map(({ pattern }) => pattern).sort()).toEqual(patternsOfDashboard().sort());
});

describe("a screen", () => {
  it.for(SCREENS)("$name opens with few requests, and axe finds nothing", async ({ path, content }, { open }) => {
    // Colours that are on their way from light to dark are not judged.
    const still = { viewport: WIDE, reducedMotion: "reduce" } as const;
    const { page, takeAsked } = await open(`/dashboard${path(known)}`, still);
    await content(page).waitFor();
    const asked = takeAsked();
    expect(asked.length, asked.join("\n")).toBeLessThanOrEqual(MAX_REQUESTS);

    expect(await faultsOf(page), "wide").toEqual([]);
    await page.emulateMedia({ colorScheme: "dark" });
    expect(await faultsOf(page, OF_COLOURS), "dark").toEqual([]);
    await page.setViewportSize(NARROW);
    expect(await faultsOf(page), "dark and narrow").toEqual([]);
    expect(await overflowOf(page), "narrow").toBe(0);
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize(AT_200_PERCENT);
    expect(await faultsOf(page), "at 200 %").toEqual([]);
    expect(await overflowOf(page), "at 200 %").toBe(0);
    await page.setViewportSize(WIDE);
    await walkThrough(page);
  });
});

/** Screens that are brought up to date while somebody looks. */
const LIVE = SCREENS.filter(({ name }) => !/^(New|Edit|Change)/.test(name));

it("no screen asks for anything in a hidden tab", async ({ open }) => {
  for (const { name, path, content } of LIVE) {
    // Each with a key of its own: four minutes of questions come in a moment.
    const { page, takeAsked } = await open(`/dashboard${path(known)}`, { before: (page) => page.clock.install() });
    await content(page).waitFor();
    await page.evaluate(SET_HIDDEN(true));
    takeAsked();
    await page.clock.runFor(120_000);
    expect(takeAsked(), name).toEqual([]);
    await page.evaluate(SET_HIDDEN(false));
    await page.clock.runFor(120_000);
    expect(takeAsked().length, name).toBeGreaterThan(0);
    await page.close();
  }
});

const SET_HIDDEN = (isHidden: boolean) => `
  Object.defineProperty(document, "visibilityState", { configurable: true, get: () => "${isHidden ? "hidden" : "visible"}" });
  document.dispatchEvent(new Event("visibilitychange"));`;

/** Presses the Tab key until all that can be used has had the focus, and looks whether that is seen. */
async function walkThrough(page: Page): Promise<void> {
  await page.evaluate(NUMBER_STOPS);
  const stops = (await page.evaluate("window.stops")) as number;
  expect(stops).toBeGreaterThan(5);
  const reached = new Set<number>();
  // A live list may take rows away meanwhile: what is left counts.
  for (let presses = 0; presses < stops + 25 && reached.size < stops; presses++) {
    await page.keyboard.press("Tab");
    const { stop, isSeen } = (await page.evaluate(FOCUSED)) as { stop: number | null; isSeen: boolean };
    if (stop === null) continue;
    expect(isSeen, `stop ${stop} shows that it has the focus`).toBe(true);
    reached.add(stop);
  }
  const missed = await page.evaluate(`[...document.querySelectorAll("[data-stop]")]
    .filter((one) => ![${[...reached]}].includes(Number(one.dataset.stop))).map((one) => one.outerHTML.slice(0, 200))`);
  expect(missed).toEqual([]);
}

/** In short: the rule, and where it is broken. */
async function faultsOf(page: Page, rules?: string[]): Promise<string[]> {
  const axe = new AxeBuilder({ page }).setLegacyMode(true);
  const { violations } = await (rules ? axe.withRules(rules) : axe).analyze();
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} (${help}) ${target.join(" ")}: ${failureSummary}`),
  );
}

/** How far the page can be scrolled sideways. */
const overflowOf = (page: Page): Promise<unknown> =>
  page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");

/** What a person could use, by what it looks like and not by what the keyboard reaches; a group of radio buttons is one stop. */
const NUMBER_STOPS = `(() => {
  const all = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")];
  const usable = all.filter((one) => !one.disabled && one.tabIndex >= 0 && one.checkVisibility({ visibilityProperty: true }));
  usable.forEach((one, n) => one.setAttribute("data-stop", n));
  window.stops = usable.length;
})()`;

const FOCUSED = `(() => {
  const one = document.activeElement;
  const stop = one?.getAttribute("data-stop");
  if (stop == null) return { stop: null, isSeen: true };
  const looks = [one, ...one.querySelectorAll(".place")].map((some) => getComputedStyle(some));
  const isSeen = looks.some((look) => (look.outlineStyle !== "none" && parseFloat(look.outlineWidth) > 0) || look.stroke !== "none");
  return { stop: Number(stop), isSeen };
})()`;

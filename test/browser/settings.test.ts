// Settings: keys that are shown once, the signing secret on request, webhooks, and how this browser shows it all.

import { expect } from "vitest";
import { it, newTenant, storedAccount } from "./harness/dashboard.ts";

it("shows a new key once, and never again", async ({ open }) => {
  const tenant = await newTenant();
  const { page } = await open("/dashboard/settings", { apiKey: tenant.apiKey });
  await page.getByRole("button", { name: "New key" }).click();
  await page.getByLabel("Name").fill("on the wall");
  await page.getByLabel("It may").selectOption("read");
  await page.getByLabel("It expires").selectOption("7");
  await page.getByRole("button", { name: "Create key" }).click();
  const key = await page.getByRole("region", { name: "The key" }).innerText();
  expect(key).toMatch(/^chrns_[\w-]{43}$/);
  expect((await tenant.withKey(key).call("GET", "/v1/jobs")).status).toBe(200);
  expect((await tenant.withKey(key).call("POST", "/v1/jobs", { name: "x", handler: "x" })).status).toBe(403);
  await page.getByRole("button", { name: "I have it" }).click();
  const row = page.getByRole("listitem").filter({ hasText: "on the wall" });
  await row.getByText(/expires in [67] d/).waitFor();
  expect(await page.content()).not.toContain(key);
  expect(await page.evaluate("JSON.stringify({ ...localStorage, ...sessionStorage })")).not.toContain(key);

  await row.getByRole("button", { name: "Delete the key on the wall" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete key" }).click();
  await row.waitFor({ state: "detached" });
  expect((await tenant.withKey(key).call("GET", "/v1/jobs")).status).toBe(401);
});

it("does not let the last key go", async ({ open }) => {
  const { apiKey } = await newTenant();
  const { page } = await open("/dashboard/settings", { apiKey, allow: /409/ });
  await page.getByRole("button", { name: /^Delete the key/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete key" }).click();
  await page.getByText("This is the account's last API key of the scope `full` that does not expire.").waitFor();
});

it("reveals the signing secret on request, and rotates it with an overlap", async ({ open }) => {
  const tenant = await newTenant();
  const { page } = await open("/dashboard/settings", { apiKey: tenant.apiKey, allow: /422/ });
  await page.getByRole("heading", { name: "Signing secret" }).waitFor();
  expect(await page.content()).not.toContain("whsec_");
  await page.getByRole("button", { name: "Reveal" }).click();
  await page.getByText(tenant.signingSecret).waitFor();
  await page.getByRole("button", { name: "Hide" }).click();
  expect(await page.content()).not.toContain("whsec_");

  await page.getByRole("button", { name: "Rotate" }).click();
  const dialog = page.getByRole("dialog");
  for (const wrong of ["169", "soon", ""]) {
    await dialog.getByLabel("Overlap in hours").fill(wrong);
    const [refused] = await Promise.all([
      page.waitForResponse("**/v1/signing-secret/rotate"),
      dialog.getByRole("button", { name: "Rotate" }).click(),
    ]);
    expect([wrong, refused.status()]).toEqual([wrong, 422]);
    await dialog.getByText("overlap_hours").waitFor();
  }
  await dialog.getByLabel("Overlap in hours").fill("2");
  await dialog.getByRole("button", { name: "Rotate" }).click();
  await expect
    .poll(() => page.getByRole("region", { name: "The secret before" }).innerText())
    .toBe(tenant.signingSecret);
  const shown = await page.getByRole("region", { name: "The signing secret" }).innerText();
  const { signing_secret } = await tenant.get<{ signing_secret: string }>("/v1/signing-secret");
  expect([shown, shown === tenant.signingSecret]).toEqual([signing_secret, false]);
});

it("makes, changes, tests, disables and deletes a webhook", async ({ open }) => {
  const tenant = await newTenant();
  const { page } = await open("/dashboard/settings", { apiKey: tenant.apiKey, allow: /422/ });
  const webhooks = () => tenant.get<Record<string, unknown>[]>("/v1/webhooks");
  await page.getByText("No webhooks yet").waitFor();
  await page.getByRole("button", { name: "New webhook" }).click();
  await page.getByLabel("URL").fill("ftp://example.com");
  await page.getByRole("button", { name: "Create webhook" }).click();
  await page.getByText("Must be an https:// URL.").first().waitFor();
  await page.getByLabel("URL").fill("https://hooks.invalid.example/in");
  await page.getByLabel("job.recovered").check();
  await page.getByRole("button", { name: "Create webhook" }).click();
  const row = page.getByRole("listitem").filter({ hasText: "hooks.invalid.example" });
  await row.getByText("job.recovered").waitFor();
  expect(await webhooks()).toMatchObject([
    { events: ["job.failed", "job.recovered", "schedule.missed"], enabled: true },
  ]);

  await row.getByRole("button", { name: /^Edit/ }).click();
  await page.getByLabel("schedule.missed").uncheck();
  await page.getByLabel("Description").fill("pages somebody");
  await page.getByRole("button", { name: "Save" }).click();
  await row.getByText("pages somebody").waitFor();
  expect(await webhooks()).toMatchObject([{ events: ["job.failed", "job.recovered"], description: "pages somebody" }]);

  await row.getByRole("button", { name: /^Disable/ }).click();
  await row.getByText("Disabled.").waitFor();
  await row.getByRole("button", { name: /^Enable/ }).click();
  await row.getByText("Disabled.").waitFor({ state: "detached" });

  await row.getByRole("button", { name: /^Test/ }).click();
  const link = row.getByRole("link", { name: "Test call" });
  await link.waitFor();
  const [job] = await tenant.get<{ id: string }[]>("/v1/jobs?origin=event");
  expect(await link.getAttribute("href")).toBe(`/dashboard/jobs/${job?.id}`);

  await row.getByRole("button", { name: /^Delete/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete webhook" }).click();
  await page.getByText("No webhooks yet").waitFor();
  expect(await webhooks()).toEqual([]);
});

it("says which webhooks fail, and why one was disabled", async ({ open }) => {
  const { page } = await open("/dashboard/settings");
  const row = (url: string) => page.getByRole("listitem").filter({ hasText: url });
  await row("hooks.chat.example").getByText("Failing since 3 h ago").waitFor();
  await row("old.example").getByText("Disabled. Deliveries have failed for five days.").waitFor();
});

it("hides from a session that may only read what it may not do", async ({ open }) => {
  const { page } = await open("/dashboard/settings", { apiKey: storedAccount().readOnlyKey });
  await page.getByText("alerts.example").waitFor();
  await page.getByText("checkout").waitFor();
  expect(await page.locator("main").getByRole("button").allInnerTexts()).toEqual([
    "As the system",
    "Light",
    "Dark",
    "UTC",
    "Local time",
  ]);
});

it("keeps the colours and the clock that somebody chose", async ({ open }) => {
  const { page } = await open("/dashboard/settings", { colorScheme: "light", timezoneId: "Asia/Tokyo" });
  const background = () => page.evaluate<string>("getComputedStyle(document.documentElement).backgroundColor");
  await page.getByRole("button", { name: "Dark" }).waitFor();
  const light = await background();
  await page.getByRole("button", { name: "Dark" }).click();
  await page.locator("main").getByRole("button", { name: "UTC" }).click();
  expect(await background()).not.toBe(light);
  await page.reload();
  await page.getByRole("button", { name: "Dark", pressed: true }).waitFor();
  await page.locator("main").getByRole("button", { name: "UTC", pressed: true }).waitFor();
  expect(await background()).not.toBe(light);
  await page.getByRole("button", { name: "As the system" }).click();
  expect(await background()).toBe(light);
});

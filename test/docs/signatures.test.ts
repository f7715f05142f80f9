// The functions of docs/verifying-signatures.md, in every language whose runtime is on the machine, judge real deliveries.

import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PROJECT } from "../../local/settings.ts";
import { Receiver } from "../harness/receiver.ts";
import { sharedService } from "../harness/shared.ts";
import type { Tenant } from "../harness/tenant.ts";

interface Delivery {
  readonly headers: Record<string, string>;
  readonly body: string;
}

const guide = readFileSync(join(PROJECT, "docs/verifying-signatures.md"), "utf8");
const snippet = (language: string): string =>
  new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "ms").exec(guide)?.[1] ?? `no ${language} in the guide`;

/** What makes a program of a snippet: it reads `{ secrets, headers, body }` and prints its verdict. */
const PROGRAMS = {
  js: {
    command: [process.execPath],
    file: "verify.mjs",
    program: (code: string) => `${code}
const { readFileSync } = await import("node:fs");
const { secrets, headers, body } = JSON.parse(readFileSync(process.argv[2], "utf8"));
console.log(isFromChronos(secrets, headers, Buffer.from(body)));`,
  },
  python: {
    command: ["python3"],
    file: "verify.py",
    program: (code: string) => `${code}
import json, sys
case = json.load(open(sys.argv[1], encoding="utf-8"))
print(str(is_from_chronos(case["secrets"], case["headers"], case["body"].encode())).lower())`,
  },
  go: {
    command: ["go", "run"],
    file: "verify.go",
    program: (code: string) => `package main
import ("encoding/json"; "fmt"; "os")
${code}
func main() {
	var given struct { Secrets []string; Headers map[string]string; Body string }
	text, _ := os.ReadFile(os.Args[1])
	if err := json.Unmarshal(text, &given); err != nil { panic(err) }
	fmt.Println(isFromChronos(given.Secrets, given.Headers, []byte(given.Body)))
}`,
  },
  ruby: {
    command: ["ruby"],
    file: "verify.rb",
    program: (code: string) => `${code}
require "json"
given = JSON.parse(File.read(ARGV[0], encoding: "utf-8"))
puts from_chronos?(given["secrets"], given["headers"], given["body"])`,
  },
  php: {
    command: ["php"],
    file: "verify.php",
    program: (code: string) => `<?php
${code}
$given = json_decode(file_get_contents($argv[1]), true);
echo is_from_chronos($given['secrets'], $given['headers'], $given['body']) ? "true" : "false";`,
  },
};

type Language = keyof typeof PROGRAMS;

let receiver: Receiver;
let tenant: Tenant;
let folder: string;
let pushed: Delivery;
let fetched: Delivery;

beforeAll(async () => {
  const [service, opened] = await Promise.all([sharedService(), Receiver.listen()]);
  receiver = opened;
  tenant = await service.newTenant();
  folder = mkdtempSync(join(tmpdir(), "chronos-"));
  [pushed, fetched] = await Promise.all([delivered("POST"), delivered("GET")]);
});
afterAll(async () => {
  await receiver?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A real delivery, as it arrived. */
async function delivered(method: string): Promise<Delivery> {
  const target = receiver.target();
  await tenant.create({ ...target.delivery(method), name: "signed", payload: { to: "Åda 🕰" } });
  const { headers, body } = await target.receives(1, 10_000);
  return { headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])), body };
}

type Judge = (secrets: readonly string[], delivery: Delivery) => Promise<boolean>;

function judgeIn(language: Language): Judge {
  const { command, file, program } = PROGRAMS[language];
  const [name = "", ...args] = command;
  return async (secrets, delivery) => {
    const path = join(folder, file);
    writeFileSync(path, program(snippet(language)));
    writeFileSync(join(folder, "given.json"), JSON.stringify({ secrets, ...delivery }));
    const env = { ...process.env, GOCACHE: join(folder, "go"), GO111MODULE: "off" };
    const { stdout } = await promisify(execFile)(name, [...args, path, join(folder, "given.json")], { env });
    return JSON.parse(stdout.trim());
  };
}

async function judges(judge: Judge): Promise<void> {
  const secret = tenant.signingSecret;
  const changed = (headers: Record<string, string>) => ({ ...pushed, headers: { ...pushed.headers, ...headers } });
  expect(await judge([secret], pushed)).toBe(true);
  expect(await judge(["whsec_another", secret], pushed)).toBe(true);
  expect(await judge([secret], fetched)).toBe(true);
  expect(await judge(["whsec_another"], pushed)).toBe(false);
  expect(await judge([secret], { ...pushed, body: pushed.body.replace("1", "2") })).toBe(false);
  expect(await judge([secret], changed({ "x-chronos-delivery-id": crypto.randomUUID() }))).toBe(false);
  expect(await judge([secret], changed({ "x-chronos-signature": "sha256=00" }))).toBe(false);
  for (const minutes of [-6, 6]) expect(await judge([secret], resigned(secret, minutes))).toBe(false);
  expect(await judge([secret], resigned(secret, 0))).toBe(true);
  const { "x-chronos-signature": _, ...unsigned } = pushed.headers;
  expect(await judge([secret], { ...pushed, headers: unsigned })).toBe(false);
}

/** The delivery as it would be signed some minutes from now. */
function resigned(secret: string, minutes: number): Delivery {
  const timestamp = `${Math.floor(Date.now() / 1_000) + minutes * 60}`;
  const signed = `${pushed.headers["x-chronos-delivery-id"]}.${timestamp}.${pushed.body}`;
  const { stdout } = spawnSync("openssl", ["dgst", "-sha256", "-hmac", secret, "-hex"], { input: signed });
  const signature = `sha256=${/([0-9a-f]{64})/.exec(`${stdout}`)?.[1]}`;
  const headers = { ...pushed.headers, "x-chronos-timestamp": timestamp, "x-chronos-signature": signature };
  return { ...pushed, headers };
}

describe("a snippet of the guide trusts real deliveries and nothing else", () => {
  const languages = Object.keys(PROGRAMS) as Language[];
  for (const language of languages) {
    const name = PROGRAMS[language].command[0] ?? "";
    const isHere = spawnSync(name, [language === "go" ? "version" : "--version"]).status === 0;
    it.skipIf(!isHere && process.env.EVERY_LANGUAGE !== "1")(language, () => judges(judgeIn(language)));
  }

  it("workers", async () => {
    let secrets: readonly string[] = [];
    const options = () =>
      convertV4MiniflareOptions({
        modules: true,
        script: snippet("js worker"),
        compatibilityDate: "2026-10-01",
        bindings: { CHRONOS_SECRETS: secrets.join(",") },
        cf: false,
        telemetry: { enabled: false },
      });
    const miniflare = new Miniflare(options());
    try {
      await judges(async (wanted, { headers, body }) => {
        if (wanted.join() !== secrets.join()) {
          secrets = wanted;
          await miniflare.setOptions(options());
        }
        const own = Object.entries(headers).filter(([name]) => name.startsWith("x-chronos-"));
        const init = { method: "POST", headers: Object.fromEntries(own), body };
        const { status } = await miniflare.dispatchFetch("http://receiver.test/", init);
        expect([204, 401]).toContain(status);
        return status === 204;
      });
    } finally {
      await miniflare.dispose();
    }
  });
});

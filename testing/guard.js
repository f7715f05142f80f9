// Stands between a test and its service: when the test ends, however it ends, the service ends too, and its folder is gone.
// Plain JavaScript, since it runs on the Node of the test.

import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { constants } from "node:os";

const [folder = "", launcher = ""] = process.argv.slice(2);

/** An orderly stop takes less than a second. */
const STOP_MS = 10_000;

const service = spawn(process.execPath, [launcher, "start"], { stdio: ["ignore", "inherit", "inherit"] });
let code = 1;
service.once("error", (error) => console.error(`The service cannot be started: ${error.message}`));
service.once("exit", (exitCode, signal) => {
  code = exitCode ?? 128 + (signal ? constants.signals[signal] : 0);
});
service.once("close", () => {
  rmSync(folder, { recursive: true, force: true });
  process.exit(code);
});

// The test holds the other end of this pipe; the system closes it when the test is gone.
process.stdin.resume().once("close", end);
for (const signal of /** @type {const} */ (["SIGTERM", "SIGINT", "SIGHUP"])) process.on(signal, end);

function end() {
  service.kill("SIGTERM");
  setTimeout(() => service.kill("SIGKILL"), STOP_MS).unref();
}

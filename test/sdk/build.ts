// The SDK as its users get it: built once before the tests that run it in processes of its own.

import { execFileSync } from "node:child_process";

export default function build(): void {
  execFileSync("npm", ["run", "--silent", "build:sdk"], { stdio: "inherit" });
}

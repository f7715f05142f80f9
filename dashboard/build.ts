// Builds the dashboard into one file that the Worker carries.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const DIST = join(import.meta.dirname, "dist");
const SCRIPT = `document.getElementById("app").textContent = "Chronos";\n`;

export async function buildDashboard(): Promise<void> {
  if (existsSync(join(DIST, "dashboard.js.gz"))) return;
  mkdirSync(DIST, { recursive: true });
  writeFileSync(join(DIST, "dashboard.js.gz"), gzipSync(SCRIPT));
}

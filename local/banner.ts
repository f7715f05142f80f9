// What a person sees once the server is up. The curl line works pasted as it stands.
import { styleText } from "node:util";
import type { DevAccount } from "./account.ts";
import { descriptorWarning } from "./descriptors.ts";
import { HOST, RECEIVER_PORT } from "./settings.ts";

export interface BannerFacts {
  account: DevAccount;
  /** Opens the dashboard, signed in. */
  dashboard: string;
  stateFolder: string;
  /** null: none known. */
  descriptorLimit: number | null;
  color: boolean;
}

export function banner({ account, dashboard, stateFolder, descriptorLimit, color }: BannerFacts): string {
  const paint = (style: "bold" | "cyan" | "dim" | "yellow", text: string) =>
    color ? styleText(style, text, { validateStream: false }) : text;
  const rows = [
    ["Base URL", paint("cyan", account.url)],
    ["Dashboard", paint("cyan", dashboard)],
    ["Reference", paint("cyan", `${account.url}/docs`)],
    ["API key", account.api_key],
    ["Signing secret", account.signing_secret],
    ["State", stateFolder],
  ];
  const warning = descriptorWarning(descriptorLimit);
  return [
    "",
    paint("bold", "Chronos is running."),
    "",
    ...rows.map(([label = "", value]) => `  ${paint("dim", label.padEnd(16))}${value}`),
    "",
    `Run ${paint("bold", "npm run receive")} in a second terminal, and create a job that is pushed to it in five seconds:`,
    "",
    `  ${curl(account)}`,
    "",
    `${paint("bold", "npm run demo")} shows more. Ctrl-C stops the server.`,
    "",
    ...(warning === null ? [] : [paint("yellow", warning), ""]),
  ].join("\n");
}

function curl({ url, api_key }: DevAccount): string {
  const job = {
    name: "hello",
    payload: { to: "world" },
    delay: { value: 5, unit: "second" },
    delivery: { type: "push", http: { url: `http://${HOST}:${RECEIVER_PORT}/jobs`, method: "POST" } },
  };
  return `curl -w '\\n' ${url}/v1/jobs -H 'Authorization: Bearer ${api_key}' -H 'Content-Type: application/json' -d '${JSON.stringify(job)}'`;
}

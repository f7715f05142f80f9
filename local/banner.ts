// The text that a person sees once the server is up. The curl line works when it is pasted.
import { styleText } from "node:util";
import type { DevAccount } from "./account.ts";
import { LOOPBACK } from "./addresses.ts";
import { descriptorWarning } from "./descriptors.ts";
import { commandLine } from "./packed.ts";
import { RECEIVER_PORT, type Settings } from "./settings.ts";

export interface BannerFacts {
  account: DevAccount;
  /** Opens the dashboard, signed in. */
  dashboard: string;
  stateFolder: string;
  /** Others can reach the service: its log goes to a supervisor, and holds no key. */
  isOpen: boolean;
  targets: Settings["targets"];
  /** null: none known. */
  descriptorLimit: number | null;
  color: boolean;
}

export function banner(facts: BannerFacts): string {
  const { account, dashboard, stateFolder, isOpen, targets, descriptorLimit, color } = facts;
  const paint = (style: "bold" | "cyan" | "dim" | "yellow", text: string) =>
    color ? styleText(style, text, { validateStream: false }) : text;
  const rows = [
    ["Base URL", paint("cyan", account.url)],
    ["Dashboard", paint("cyan", dashboard)],
    ["Reference", paint("cyan", `${account.url}/docs`)],
    ...(isOpen
      ? []
      : [
          ["API key", account.api_key],
          ["Signing secret", account.signing_secret],
        ]),
    ["State", stateFolder],
    ...(isOpen ? [["API key", `in dev.json of that folder, beside the operator's token`]] : []),
    ...(isOpen ? [["Targets", targets === "public" ? "public https hosts" : "whatever this machine reaches"]] : []),
  ];
  const warning = descriptorWarning(descriptorLimit);
  return [
    "",
    paint("bold", "Chronos is running."),
    "",
    ...rows.map(([label = "", value]) => `  ${paint("dim", label.padEnd(16))}${value}`),
    "",
    ...(isOpen ? [] : [...firstSteps(account, (name) => paint("bold", commandLine(name))), ""]),
    ...(warning === null ? [] : [paint("yellow", warning), ""]),
  ].join("\n");
}

function firstSteps(account: DevAccount, command: (name: string) => string): string[] {
  return [
    `Run ${command("receive")} in a second terminal, and create a job that is pushed to it in five seconds:`,
    "",
    `  ${curl(account)}`,
    "",
    `${command("demo")} shows more. Ctrl-C stops the server.`,
  ];
}

function curl({ url, api_key }: DevAccount): string {
  const job = {
    name: "hello",
    payload: { to: "world" },
    delay: { value: 5, unit: "second" },
    delivery: { type: "push", http: { url: `http://${LOOPBACK}:${RECEIVER_PORT}/jobs`, method: "POST" } },
  };
  return `curl -w '\\n' ${url}/v1/jobs -H 'Authorization: Bearer ${api_key}' -H 'Content-Type: application/json' -d '${JSON.stringify(job)}'`;
}

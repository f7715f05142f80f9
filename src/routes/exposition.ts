// Prometheus' text format, version 0.0.4: families of samples as lines.

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels?: Labels;
  /** What follows the family's name, such as `_bucket`. */
  readonly suffix?: string;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly samples: readonly Sample[];
}

export const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** All of a family stands together, whatever its samples' labels: the format demands it. */
export const textOf = (families: readonly Family[]): string => families.map(familyOf).join("");

function familyOf({ name, type, help, samples }: Family): string {
  const head = [`# HELP ${name} ${escaped(help, HELP)}`, `# TYPE ${name} ${type}`];
  const lines = samples.map(
    ({ labels = {}, suffix = "", value }) => `${name}${suffix}${labelsOf(labels)} ${numberOf(value)}`,
  );
  return `${[...head, ...lines].join("\n")}\n`;
}

function labelsOf(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value, LABEL)}"`);
  return pairs.length > 0 ? `{${pairs.join(",")}}` : "";
}

const numberOf = (value: number): string => (Number.isFinite(value) ? String(value) : value > 0 ? "+Inf" : "-Inf");

const HELP = /[\\\n]/g;
const LABEL = /[\\"\n]/g;

const escaped = (text: string, special: RegExp): string =>
  text.replace(special, (character) => (character === "\n" ? "\\n" : `\\${character}`));

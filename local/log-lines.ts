// One readable line for each line the Worker logs. It only reformats: what to log is the Worker's business.
import { styleText } from "node:util";
import { printable, printableLines } from "./printable.ts";

export interface LineOptions {
  /** When the line was written, in milliseconds. */
  at: number;
  color: boolean;
  /** Leaves lines as the Worker wrote them. */
  raw: boolean;
}

type Fields = Record<string, unknown>;
type Paint = (style: "dim" | "green" | "yellow" | "red", text: string) => string;

/** The line to print, or null for one that nobody wants to see: a health check. */
export function readableLine(line: string, { at, color, raw }: LineOptions): string | null {
  if (raw) return line;
  const fields = parse(line);
  if (fields === null) return printableLines(line);
  if (fields.event === "request" && fields.path === "/health") return null;
  const paint: Paint = (style, text) => (color ? styleText(style, text, { validateStream: false }) : text);
  return `${paint("dim", new Date(at).toISOString().slice(11))}  ${sentence(legible(fields), paint)}`;
}

/** The fields of one of the Worker's own lines; null for everything else. */
function parse(line: string): Fields | null {
  if (!line.startsWith("{")) return null;
  try {
    const fields: Fields = JSON.parse(line);
    return typeof fields.event === "string" && typeof fields.level === "string" ? fields : null;
  } catch {
    return null;
  }
}

/** With every text fit for a terminal: paths and names come from anybody. */
function legible(fields: Fields): Fields {
  const texts = Object.entries(fields).map(([name, value]) => [
    printable(name),
    typeof value === "string" ? printable(value) : value,
  ]);
  return Object.fromEntries(texts);
}

function sentence(fields: Fields, paint: Paint): string {
  switch (fields.event) {
    case "request":
      return request(fields, paint);
    case "execution":
      return execution(fields, paint);
    default:
      return other(fields, paint);
  }
}

function request({ method, path, status, code, duration_ms }: Fields, paint: Paint): string {
  const style = Number(status) >= 500 ? "red" : Number(status) >= 400 ? "yellow" : "green";
  return words(method, path, paint(style, words(status, code)), ms(duration_ms));
}

function execution(fields: Fields, paint: Paint): string {
  const { job_id, attempt, outcome, http_status, error_code, host, reason, lateness_ms, duration_ms } = fields;
  const result = paint(error_code ? "yellow" : "green", words(outcome, http_status, error_code));
  const why = host === undefined ? undefined : `· ${host}: ${reason}`;
  return words("delivery", job_id, `attempt ${attempt}`, result, ms(lateness_ms, "late,"), ms(duration_ms), why);
}

function other({ level, event, ...rest }: Fields, paint: Paint): string {
  const facts = Object.entries(rest).map(([name, value]) => `${name}=${shown(value)}`);
  const mark = level === "error" ? paint("red", "error") : level === "warn" ? paint("yellow", "warning") : undefined;
  return words(mark, event, ...facts);
}

function ms(value: unknown, suffix?: string): string | undefined {
  return typeof value === "number" ? words(`${Math.round(value)} ms`, suffix) : undefined;
}

function shown(value: unknown): string {
  return typeof value === "string" ? value : printable(JSON.stringify(value));
}

function words(...parts: unknown[]): string {
  return parts.filter((part) => part !== undefined && part !== null).join(" ");
}

// How the scenes look: a table that updates in place on a terminal, a line for each change elsewhere.
import { styleText } from "node:util";
import { printable } from "../printable.ts";
import type { Scene, State } from "./scenes.ts";

export type Standing = { scene: Scene; state: State };

const COLUMN_WIDTHS = [27, 10, 15, 6];
const WIDTH = 70;

const out = process.stdout;
const color = out.isTTY && !process.env.NO_COLOR;
const shown = new Map<Scene, string>();

export const paint = (style: "bold" | "dim" | "green" | "red", text: string): string =>
  color ? styleText(style, text, { validateStream: false }) : text;

/** Whether a scene stands as it must end. */
export const isAsWanted = ({ scene, state }: Standing): boolean => String(state) === String(scene.wanted);

export function draw(standings: readonly Standing[]): void {
  const changed = standings.filter((standing) => shown.get(standing.scene) !== line(standing));
  if (changed.length === 0) return;
  const back = shown.size === 0 ? "" : `\x1b[${standings.length + 1}A`;
  for (const standing of changed) shown.set(standing.scene, line(standing));
  const head = paint("dim", cells(["job", "delivery", "status", "runs", "deliveries"]));
  const isLive = out.isTTY && out.columns >= WIDTH;
  out.write(isLive ? back + rows([head, ...standings.map(line)]) : rows(changed.map(line)));
}

function line(standing: Standing): string {
  const { scene, state } = standing;
  const text = printable(cells([scene.title, scene.delivery, ...state.map(String)]));
  return isAsWanted(standing) ? paint("green", text) : text;
}

const cells = (texts: string[]): string => texts.map((text, i) => text.padEnd(COLUMN_WIDTHS[i] ?? 0)).join("");
const rows = (lines: string[]): string => lines.map((text) => `${text}\n`).join("");

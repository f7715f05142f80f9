// A row of bars, one for each bucket: one stop of the Tab key, the arrow keys go from bar to bar, Enter follows the bar's link. What
// a bar stands for is written above the chart while the mouse or the keyboard is on it, and is in a table for everybody else.

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { adopt } from "../../ui/adopt.ts";
import css from "./bars.css?inline";

adopt(css);

/** A part of a bar. Places are shares of the chart's height. */
export interface Piece {
  readonly class: string;
  readonly from: number;
  readonly to: number;
}

export interface Bar {
  readonly key: string;
  readonly pieces: readonly Piece[];
  /** In words, for the line above and for screen readers. */
  readonly words: string;
  /** Left out: there is nothing behind it. */
  readonly href?: string | undefined;
}

export interface Line {
  readonly place: number;
  readonly label: string;
}

interface BarsProps {
  /** The name of the whole. */
  readonly name: string;
  readonly bars: readonly Bar[];
  /** Horizontal lines with their values. */
  readonly lines: readonly Line[];
  /** Moments below the bars, by the number of the bar. */
  readonly moments: readonly { readonly index: number; readonly label: string }[];
  readonly title: ComponentChildren;
  /** What stands above while no bar is looked at. */
  readonly summary: ComponentChildren;
}

const HEIGHT = 100;
/** The share of a bar's place that it fills. */
const FILLED = 0.78;

export function Bars({ name, bars, lines, moments, title, summary }: BarsProps) {
  const looked = useSignal<string | null>(null);
  /** Where the Tab key enters. */
  const entry = useSignal<string | null>(null);
  const svg = useRef<SVGSVGElement>(null);
  const withLink = bars.filter((bar) => bar.href !== undefined);
  const entered = withLink.find(({ key }) => key === entry.value) ?? withLink.at(-1);
  const move = (event: KeyboardEvent) => {
    const at = withLink.findIndex(({ key }) => key === entered?.key);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: withLink.length - 1 }[event.key];
    const bar = to === undefined ? undefined : withLink[to];
    if (!bar) return;
    event.preventDefault();
    entry.value = bar.key;
    svg.current?.querySelector<SVGAElement>(`[data-key="${bar.key}"]`)?.focus();
  };
  const fits = ({ index }: { index: number }) => index < bars.length * 0.93;
  const words = bars.find(({ key }) => key === looked.value)?.words;
  return (
    <figure class="bars" aria-label={name}>
      <figcaption>
        {title}
        <span class="readout">{words ?? summary}</span>
      </figcaption>
      <div class="plot">
        {lines.map(({ place, label }) => (
          <span key={label} class="line" style={{ bottom: `${place * 100}%` }} aria-hidden="true">
            <span>{label}</span>
          </span>
        ))}
        {/* biome-ignore lint/a11y/useSemanticElements: an SVG has no fieldset */}
        <svg
          ref={svg}
          viewBox={`0 0 ${bars.length} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="group"
          aria-label={`${name}, bar by bar`}
          onKeyDown={move}
          onPointerLeave={() => (looked.value = null)}
        >
          {bars.map((bar, i) => {
            const look = () => (looked.value = bar.key);
            const inside = (
              <>
                <rect class="place" x={i} y={0} width={1} height={HEIGHT} />
                {bar.pieces.map((piece) => (
                  <rect
                    key={piece.class}
                    class={piece.class}
                    x={i + (1 - FILLED) / 2}
                    y={(1 - piece.to) * HEIGHT}
                    width={FILLED}
                    height={(piece.to - piece.from) * HEIGHT}
                  />
                ))}
              </>
            );
            if (bar.href === undefined)
              return (
                <g key={bar.key} onPointerEnter={look}>
                  {inside}
                </g>
              );
            return (
              <a
                key={bar.key}
                data-key={bar.key}
                href={bar.href}
                tabIndex={bar.key === entered?.key ? 0 : -1}
                aria-label={bar.words}
                onPointerEnter={look}
                onFocus={() => {
                  entry.value = bar.key;
                  look();
                }}
                onBlur={() => (looked.value = null)}
              >
                {inside}
              </a>
            );
          })}
        </svg>
      </div>
      <div class="moments" aria-hidden="true">
        {moments.filter(fits).map(({ index, label }) => (
          <span key={index} style={{ insetInlineStart: `${(index / bars.length) * 100}%` }}>
            {label}
          </span>
        ))}
      </div>
    </figure>
  );
}

// The frame of both pages. Their addresses are relative, so that they work behind a proxy that serves everything under a path of its own.

import { html, raw } from "hono/html";

export type Html = ReturnType<typeof html>;

export interface Page {
  readonly title: string;
  readonly style: string;
  /** The way from the page to the service's address: empty beside it, `../` a level below. */
  readonly root?: "" | "../" | "../../";
  /** Relative to the service's address. */
  readonly script?: string;
  readonly body: Html;
}

export const page = ({ title, style, root = "", script, body }: Page): Html => html`<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="${root}dashboard/icon.svg" type="image/svg+xml">
<title>${title}</title>
<style>${raw(style)}</style>
${script ? html`<script type="module" src="${root}${script}"></script>` : ""}
</head>
${body}
</html>
`;

/** Our own words, with what stands between backticks as code; an empty line begins a paragraph. */
export const prose = (words: string): Html =>
  html`${words.split(/\n{2,}/).map((paragraph) => html`<p>${inline(paragraph)}</p>`)}`;

/** The same without paragraphs. */
export const inline = (words: string): Html =>
  html`${words.split(/`([^`]+)`/).map((part, i) => (i % 2 === 1 ? html`<code>${part}</code>` : part))}`;

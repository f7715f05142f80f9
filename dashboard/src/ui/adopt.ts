// Styles come with the script: a constructed style sheet needs no `unsafe-inline` in the page's policy.

/** Adds a style sheet to the page. Each file of components adopts its own, once. */
export function adopt(css: string): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  document.adoptedStyleSheets.push(sheet);
}

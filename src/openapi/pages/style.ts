// How the two pages look, in the colours and sizes of the dashboard. Light and dark follow the system; 320 px is wide enough.

export const BASE_STYLE = `
:root {
  color-scheme: light dark;
  --page: light-dark(#f6f7f9, #101216);
  --surface: light-dark(#ffffff, #171a20);
  --sunken: light-dark(#eef0f4, #0c0e12);
  --line: light-dark(#e1e5eb, #2a2f39);
  --line-strong: light-dark(#8b94a3, #6d7685);
  --ink: light-dark(#171b22, #e6e9ef);
  --ink-2: light-dark(#4b5464, #a9b2c1);
  --ink-3: light-dark(#5f6979, #8f99aa);
  --accent: light-dark(#1f5fd0, #86b1ff);
  --accent-fill: light-dark(#1f5fd0, #2f6fe0);
  --danger: light-dark(#b3261e, #ff9389);
  --warn: light-dark(#8a5300, #f0b95c);
  --good: light-dark(#17703a, #6fd08c);
  --special: light-dark(#6a40b8, #b094f2);
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
*, ::before, ::after { box-sizing: border-box; }
html { font: 400 100%/1.55 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; background: var(--page); color: var(--ink); text-size-adjust: none; overflow-wrap: anywhere; }
body { margin: 0; font-size: .9375rem; }
h1, h2, h3, h4 { line-height: 1.25; margin: 0; text-wrap: balance; }
p, ul, ol, dl, dd { margin: 0; padding: 0; }
a { color: var(--accent); text-underline-offset: .15em; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
code, pre, kbd { font-family: var(--mono); font-size: .875em; }
pre code { font-size: 1em; }
:not(pre) > code { padding: .1em .3em; border-radius: 4px; background: var(--sunken); }
pre { margin: 0; padding: .8rem 1rem; border: 1px solid var(--line); border-radius: 8px; background: var(--sunken); overflow: auto; overflow-wrap: normal; tab-size: 2; line-height: 1.5; }
`;

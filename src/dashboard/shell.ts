// The one page of the dashboard. Everything on it is made by its script, which reads the address.

/**
 * Style sheets are adopted by the script, which no policy forbids. A form that is sent without the script would put what was typed
 * into the address: it is not sent.
 */
export const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/**
 * @param path of the page that is asked for: addresses are relative, so that they work behind a proxy that serves everything under a
 * path of its own
 * @param script the script's file
 */
export function shell(path: string, script: string): string {
  const folder = `${"../".repeat(path.split("/").length - 2)}dashboard`;
  return `<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>Chronos</title>
<link rel="icon" href="${folder}/icon.svg" type="image/svg+xml">
<script type="module" src="${folder}/${script}"></script>
</head>
<body>
<div id="app"></div>
<noscript>The dashboard needs JavaScript. Without it, everything the dashboard shows is in the API.</noscript>
</body>
</html>
`;
}

/** A clock at five past twelve, in one colour that is clear on light and dark tabs. */
export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" fill="none" stroke="#3b82f6" stroke-width="3" stroke-linecap="round" stroke-linejoin="round">
<circle cx="16" cy="16" r="13"/>
<path d="M16 8v8l5.5 3.5"/>
</svg>
`;

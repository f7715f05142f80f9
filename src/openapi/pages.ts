// The two pages a browser is shown. Nothing on them comes from elsewhere, and their policies hold browsers to it. Their
// addresses are relative, so that they work behind a proxy that serves them under a path of its own.

export const HOME_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'";

export const REFERENCE_POLICY =
  "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; img-src data:; font-src data:; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const head = (title: string) => `<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>${title}</title>`;

export const homePage = (healthy: boolean): string => `${head("Chronos on the edge")}
<style>
:root { color-scheme: light dark; }
body { font: 1rem/1.6 system-ui, sans-serif; max-width: 36rem; margin: 4rem auto; padding: 0 1rem; }
.well { color: light-dark(#17652e, #6fd08c); } .ill { color: light-dark(#a11, #f88); }
</style>
</head>
<body>
<h1>Chronos on the edge</h1>
<p>“Call me back at time T, surely.” This is the API of a job service: what you POST to it happens once at its moment,
pushed to your URL as a signed request or pulled by your worker.</p>
<p role="status" class="${healthy ? "well" : "ill"}">${
  healthy ? "The service is well." : 'The service is not well; its <a href="health">health</a> says why.'
}</p>
<ul>
<li><a href="docs">Reference: read it and try it</a></li>
<li><a href="openapi.json">The API in OpenAPI 3.1</a></li>
<li><a href="health">Health</a></li>
</ul>
</body>
</html>
`;

export const referencePage = `${head("Reference · Chronos on the edge")}
<style>html, body { margin: 0; height: 100%; }</style>
<script type="module" src="docs/reference.js"></script>
</head>
<body>
<rapi-doc spec-url="openapi.json" server-url="." default-api-server="." render-style="focused" layout="column" schema-style="table" theme="light"
  load-fonts="false" regular-font="system-ui, sans-serif" mono-font="ui-monospace, monospace" show-header="false"
  allow-spec-url-load="false" allow-spec-file-load="false" allow-server-selection="false" show-method-in-nav-bar="as-colored-text"
  use-path-in-nav-bar="false" schema-description-expanded="true" sort-endpoints-by="none" persist-auth="false">
<h1 slot="nav-logo" style="font: 600 1.1rem system-ui; color: inherit">Chronos on the edge</h1>
</rapi-doc>
</body>
</html>
`;

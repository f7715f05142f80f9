// The front page: that the service is there, whether it is well, and where to go from here.

import { html } from "hono/html";
import { createCommand, type FirstJob, listCommand } from "./first-job.ts";
import { type Html, page } from "./page.ts";
import { BASE_STYLE } from "./style.ts";

export const HOME_STYLE = `${BASE_STYLE}
body { max-width: 46rem; margin: 0 auto; padding: clamp(1.5rem, 6vw, 4rem) 1rem 3rem; }
header { display: grid; gap: .6rem; margin-bottom: 2rem; }
header p { color: var(--ink-2); font-size: 1.0625rem; max-width: 38rem; }
h1 { display: flex; align-items: center; gap: .6rem; font-size: clamp(1.5rem, 5vw, 2rem); letter-spacing: -.02em; }
h1 img { width: 1.2em; height: 1.2em; }
h2 { font-size: 1.0625rem; margin-bottom: .6rem; }
[role="status"] { display: flex; align-items: center; gap: .5rem; font-size: .9375rem; }
[role="status"]::before { content: ""; flex: none; width: .6rem; height: .6rem; border-radius: 50%; background: currentColor; }
.well { color: var(--good) !important; }
.ill { color: var(--danger) !important; }
main { display: grid; gap: 2rem; grid-template-columns: minmax(0, 1fr); }
ol { list-style: none; display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr); counter-reset: step; }
ol li { display: grid; gap: .5rem; grid-template-columns: minmax(0, 1fr); counter-increment: step; }
ol li > p::before { content: counter(step) ". "; color: var(--ink-3); }
pre { user-select: all; }
.doors { list-style: none; display: grid; gap: .75rem; grid-template-columns: repeat(auto-fit, minmax(min(13.5rem, 100%), 1fr)); }
.doors a { display: grid; gap: .15rem; align-content: start; height: 100%; padding: .8rem 1rem; border: 1px solid var(--line); border-radius: 10px; background: var(--surface); color: inherit; text-decoration: none; }
.doors a:hover { border-color: var(--accent); }
.doors b { color: var(--accent); font-weight: 600; }
.small { color: var(--ink-2); font-size: .875rem; }
.doors span { color: var(--ink-2); font-size: .875rem; }
`;

export interface HomeFacts extends FirstJob {
  readonly isWell: boolean;
}

export const homePage = (facts: HomeFacts): Html =>
  page({
    title: "Chronos on the edge",
    style: HOME_STYLE,
    body: html`<body>
<header>
<h1><img src="dashboard/icon.svg" alt="">Chronos on the edge</h1>
<p>Call me back at time T, reliably. A job that you post here runs once at its moment: pushed to your URL as a signed request, or
pulled by your worker.</p>
${
  facts.isWell
    ? html`<p role="status" class="well">The service is well.</p>`
    : html`<p role="status" class="ill"><span>The service is not well; its <a href="health">health</a> says why.</span></p>`
}
</header>
<main>
<section>
<h2>Your first job</h2>
<ol>
<li><p>${facts.isLocal ? "Take the API key from the start banner." : "Take an API key: whoever operates the service has one for you."}</p>
<pre tabindex="0">export KEY=chrns_…</pre></li>
<li><p>${
      facts.isLocal
        ? html`Run <code>npm run receive</code> in a second terminal, and create a job that is pushed to it in five seconds.`
        : html`Create a job that is pushed to your URL in five seconds. Put your own in the place of
<code>https://example.com/jobs</code>.`
    }</p>
<pre tabindex="0">${createCommand(facts)}</pre></li>
<li><p>See how it went.</p>
<pre tabindex="0">${listCommand(facts)}</pre></li>
</ol>
</section>
<nav aria-label="Where to go">
<ul class="doors">
<li><a href="dashboard"><b>Dashboard</b><span>What happens now, what failed and why, what comes next</span></a></li>
<li><a href="docs/guides"><b>Guides</b><span>Schedules, retries, workers, webhooks, operating: each short</span></a></li>
<li><a href="docs"><b>Reference</b><span>Every request and answer, to read and to try</span></a></li>
</ul>
</nav>
<p class="small">For programs: <a href="openapi.json">the API in OpenAPI 3.1</a>, and <a href="health">health</a>, which is 200 while all is well.</p>
</main>
</body>`,
  });

// The reference's own style sheet. Code stands beside its words where there is room, and below them where there is not.

import { BASE_STYLE } from "./style.ts";

export const REFERENCE_STYLE = `${BASE_STYLE}
html { scroll-padding-top: 3.5rem; }
body { display: grid; grid-template-columns: minmax(0, 1fr); }
[hidden] { display: none !important; }
.bar { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; align-items: center; gap: .25rem 1rem; padding: .6rem 1rem; background: var(--page); border-bottom: 1px solid var(--line); }
.bar b { font-weight: 650; margin-inline-end: auto; }
.bar a { text-decoration: none; }
main { padding: 1.5rem 1rem 4rem; display: grid; grid-template-columns: minmax(0, 1fr); gap: 3rem; max-width: 84rem; }
main > section { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; }
h1 { font-size: clamp(1.5rem, 5vw, 2rem); letter-spacing: -.02em; }
h2 { font-size: 1.375rem; letter-spacing: -.01em; }
h3 { font-size: 1.0625rem; }
h3 a { color: inherit; text-decoration: none; }
h4 { margin-top: 1rem; font-size: .8125rem; color: var(--ink-3); font-weight: 600; }
.intro { max-width: 46rem; display: grid; grid-template-columns: minmax(0, 1fr); gap: .75rem; }
.operation { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; padding-top: 1.75rem; border-top: 1px solid var(--line); }
.words, .samples { display: grid; grid-template-columns: minmax(0, 1fr); gap: .6rem; align-content: start; }
.line { font-size: .9375rem; }
.method { font-size: .75rem; letter-spacing: .04em; }
.method.get { color: var(--accent); } .method.post { color: var(--good); } .method.patch { color: var(--warn); } .method.delete { color: var(--danger); }
.fields { list-style: none; display: grid; grid-template-columns: minmax(0, 1fr); }
.fields > li { display: grid; grid-template-columns: minmax(0, 1fr); gap: .15rem; padding: .5rem 0; border-top: 1px solid var(--line); }
.fields > li:first-child { border-top: 0; }
.fields .name { background: none; padding: 0; font-weight: 600; }
.fields p { font-size: .875rem; } .fields p + p { color: var(--ink-2); }
.fields .fields { padding-inline-start: .9rem; border-inline-start: 2px solid var(--line); }
.kind { color: var(--ink-3); font-size: .8125rem; }
.kind code { background: none; padding: 0; }
.must { color: var(--warn); font-size: .8125rem; }
.choice { margin-top: .4rem; font-size: .8125rem; color: var(--ink-3); }
summary { cursor: pointer; font-size: .875rem; color: var(--ink-2); padding: .2rem 0; }
.refusals ul { list-style: none; display: flex; flex-wrap: wrap; gap: .3rem .9rem; font-size: .8125rem; color: var(--ink-3); padding: .3rem 0; }
.sample pre { max-height: 26rem; margin-top: .3rem; font-size: .8125rem; }
.status { color: var(--good); }
.keys, .try form { display: grid; grid-template-columns: minmax(0, 1fr); gap: .3rem; }
.keys { max-width: 30rem; }
label { margin-top: .5rem; font-size: .8125rem; color: var(--ink-2); }
input, textarea, button { font: inherit; color: inherit; }
input, textarea { width: 100%; padding: .4rem .6rem; border: 1px solid var(--line-strong); border-radius: 6px; background: var(--surface); }
textarea { font: .8125rem/1.5 var(--mono); resize: vertical; }
::placeholder { color: var(--ink-3); }
button { padding: .3rem .8rem; border: 1px solid var(--line-strong); border-radius: 6px; background: var(--surface); cursor: pointer; }
.send { background: var(--accent-fill); border-color: transparent; color: #fff; font-weight: 600; margin: .5rem .5rem 0 0; }
.send:disabled { opacity: .55; cursor: progress; }
.fills { display: flex; flex-wrap: wrap; gap: .35rem; }
.fill { font-size: .8125rem; padding: .15rem .55rem; border-color: var(--line); }
.asked:empty { display: none; }
.try { border: 1px solid var(--line); border-radius: 8px; background: var(--surface); padding: .3rem .9rem; }
.try[open] { padding-bottom: .9rem; }
.try > summary { color: var(--accent); font-weight: 600; }
.outcome { font-size: .875rem; font-weight: 600; margin-bottom: .3rem; }
.good .outcome { color: var(--good); } .bad .outcome { color: var(--danger); }
.answer pre { max-height: 26rem; font-size: .8125rem; }
:target { scroll-margin-top: 3.5rem; }
.fields > :target, .operation:target h3 { background: light-dark(#e8effd, #1b2a47); }
#contents { padding: 1rem; border-top: 1px solid var(--line); font-size: .875rem; display: grid; grid-template-columns: minmax(0, 1fr); gap: .9rem; align-content: start; }
#contents label { margin: 0; }
#contents #filter { margin-top: -.6rem; }
#contents h2 { font-size: .8125rem; color: var(--ink-3); font-weight: 600; }
#contents ul { list-style: none; }
#contents a { display: block; padding: .12rem 0; color: var(--ink-2); text-decoration: none; }
#contents a:hover { color: var(--accent); }
@media (max-width: 32rem) {
  .bar { gap: .25rem .75rem; font-size: .875rem; overflow-wrap: normal; }
  .bar b { display: none; }
}
@media (scripting: none) { .try, .keys, #contents label, #filter { display: none; } }
@media (min-width: 60rem) {
  body { grid-template-columns: 16rem minmax(0, 1fr); }
  .bar { grid-column: 1 / -1; }
  .to-contents { display: none; }
  main { grid-column: 2; grid-row: 2; padding: 2rem 2rem 6rem; }
  #contents { grid-column: 1; grid-row: 2; position: sticky; top: 2.9rem; max-height: calc(100vh - 2.9rem); overflow: auto; border-top: 0; border-inline-end: 1px solid var(--line); }
}
@media (min-width: 80rem) {
  .operation { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 2.5rem; }
}
`;

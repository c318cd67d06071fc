/** Of the page of the access report. Colours have names, so that dark is another set of them, and paper is light. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #fcfcfb; --card: #fff; --text: #1d1f22; --quiet: #5f646c; --line: #dfe1e4; --soft: #f3f4f5; --link: #1f4fbf; --change: #a03a0c; --mark: #fdf3e7;
  --tools: 3.6rem;
}
@media (prefers-color-scheme: dark) {
  :root { --page: #141518; --card: #1a1c1f; --text: #e4e6e9; --quiet: #9ba1aa; --line: #30343a; --soft: #212429; --link: #93b8ff; --change: #ffb27d; --mark: #2c2318; }
}
* { box-sizing: border-box; }
body { margin: 0; padding: 2.5rem clamp(1rem, 4vw, 3.5rem) 4rem; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; font-variant-numeric: tabular-nums; }
body > * { max-width: 84rem; margin-inline: auto; }
h1, h2, h3, p, dl, ul { margin: 0; }
h1 { font-size: 2rem; line-height: 1.2; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin-top: 1.75rem; overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 2.25rem 0 .5rem; }
h2 small, h3 small { font-size: .875rem; font-weight: 400; }
a { color: var(--link); text-decoration-thickness: 1px; text-underline-offset: .15em; }
code { font-family: ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: .9em; unicode-bidi: isolate; white-space: pre-wrap; overflow-wrap: anywhere; }
.kicker { color: var(--quiet); font-size: .8125rem; letter-spacing: .04em; text-transform: uppercase; margin-bottom: .35rem; }
section + section { margin-top: 3.5rem; }
.where { margin-top: .35rem; color: var(--quiet); font-size: .875rem; overflow-wrap: anywhere; }
.lede { max-width: 46rem; margin-top: .6rem; color: var(--quiet); }
small { color: var(--quiet); font-size: .875em; }
.figures { display: flex; flex-wrap: wrap; gap: .75rem 2.25rem; margin-top: 1.5rem; padding-top: 1.25rem; border-top: 1px solid var(--line); }
.figures div { display: flex; flex-direction: column-reverse; }
.figures dd { margin: 0; font-size: 1.5rem; line-height: 1.25; font-weight: 600; }
.figures dt { color: var(--quiet); font-size: .8125rem; }
.tools { position: sticky; top: 0; z-index: 2; display: flex; flex-wrap: wrap; align-items: center; gap: .5rem; min-height: var(--tools); margin-top: 2rem; padding: .5rem 0; background: var(--page); }
.tools[hidden] { display: none; }
.tools input, .tools select { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: .4rem; padding: .35rem .6rem; min-width: 0; }
.tools input { flex: 1 1 16rem; max-width: 26rem; }
.tools select { max-width: 14rem; }
.tools output { color: var(--quiet); font-size: .875rem; margin-left: auto; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 1px; }
.notices { list-style: none; padding: 0; margin-top: 1rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--card); }
.notices li { display: grid; grid-template-columns: 16rem 1fr; gap: .25rem 1.5rem; padding: .6rem 1rem; }
.notices li + li { border-top: 1px solid var(--line); }
.list code, .notices code { display: inline-block; max-width: 100%; }
.notices strong, .rest strong { font-weight: 600; }
table { width: 100%; border-collapse: separate; border-spacing: 0; background: var(--card); border: 1px solid var(--line); border-radius: .5rem; table-layout: fixed; }
th, td { text-align: left; vertical-align: top; padding: .55rem .9rem; font-weight: 400; overflow-wrap: anywhere; }
thead th { position: sticky; top: 0; z-index: 1; background: var(--soft); color: var(--quiet); font-size: .8125rem; padding-block: .45rem; border-bottom: 1px solid var(--line); }
.js thead th { top: var(--tools); }
thead th:first-child { border-top-left-radius: .45rem; }
thead th:last-child { border-top-right-radius: .45rem; }
tbody + tbody > tr:first-child > * { border-top: 1px solid var(--line); }
tbody > tr + tr > td { padding-top: .1rem; }
tbody > tr:not(:last-child) > td:not([rowspan]) { padding-bottom: .2rem; }
tbody th code { font-weight: 600; font-size: .95em; }
tbody[id] { scroll-margin-top: calc(var(--tools) + 2.5rem); }
tbody:target { background: var(--mark); }
tbody[hidden] { display: none; }
.users col:nth-child(1), .groups col:nth-child(1) { width: 18%; }
.users col:nth-child(2), .groups col:nth-child(2) { width: 22%; }
.users col:nth-child(3), .groups col:nth-child(3) { width: 9%; }
.users col:nth-child(4), .groups col:nth-child(4) { width: 13%; }
.who col:nth-child(1) { width: 30%; }
.who col:nth-child(2) { width: 35%; }
td > div + div { margin-top: .15rem; }
td > small, th > small, .signs small { display: block; }
.same { visibility: hidden; }
td b { color: var(--change); font-weight: 600; }
.badge { display: inline-block; border: 1px solid var(--line); border-radius: 1rem; padding: 0 .5rem; color: var(--quiet); font-size: .75rem; line-height: 1.5; vertical-align: .08em; }
.nothing { padding: 2rem 0; color: var(--quiet); }
summary { cursor: pointer; color: var(--link); }
.rest { list-style: none; padding: 0; max-width: 60rem; }
.rest li { display: grid; grid-template-columns: 9rem 1fr; gap: .25rem 1.5rem; padding: .55rem 0; border-top: 1px solid var(--line); }
@media screen and (max-width: 48rem) {
  body { padding-top: 1.5rem; }
  h1 { font-size: 1.6rem; }
  .figures { display: grid; grid-template-columns: repeat(2, auto); justify-content: start; gap: .9rem 2.5rem; }
  .notices li, .rest li { grid-template-columns: 1fr; }
  .tools { position: static; }
  .tools input { flex-basis: 100%; max-width: none; }
  .tools select { flex: 1 1 0; }
  .tools output { flex-basis: 100%; margin: 0; }
  table, tbody, tr, th, td { display: block; }
  colgroup, thead { display: none; }
  tbody { padding: .7rem .9rem; }
  tbody + tbody { border-top: 1px solid var(--line); }
  tbody + tbody > tr:first-child > *, tbody > tr + tr > td { border: 0; }
  tbody > tr > th, tbody > tr > td { padding: 0; }
  tbody > tr + tr { margin-top: .5rem; }
  td.signs { margin: .4rem 0 .7rem; }
  .users .signs::before { content: "signs in"; }
  .groups .signs::before { content: "members"; }
  .signs::before { display: block; color: var(--quiet); font-size: .8125rem; }
  td.place { display: inline-block; color: var(--quiet); }
  td.place:empty { display: none; }
  .same { visibility: visible; }
  td.place + td.place:not(:empty)::before { content: "."; }
}
@media print {
  :root { color-scheme: light; --page: #fff; --card: #fff; --text: #000; --quiet: #444; --line: #bbb; --soft: #f2f2f2; --link: #000; --change: #7a2c08; --mark: #fff; }
  @page { margin: 14mm; }
  body { padding: 0; font-size: 9pt; }
  th, td { padding-inline: .5rem; }
  .users col:nth-child(3), .groups col:nth-child(3) { width: 11%; }
  .tools { display: none; }
  thead th, .js thead th { position: static; }
  thead { display: table-header-group; }
  tbody, .notices li, .rest li { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
}
`;

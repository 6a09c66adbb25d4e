// How a report looks: on a screen, wide or narrow, light or dark, and on paper.
#pragma once

namespace normalign {

/// The style sheet of a report.
inline constexpr const char* report_style = R"css(
:root { color-scheme: light dark; --paper: #fff; --ink: #1a1a1a; --soft: #5c5c5c; --rule: #ddd; --panel: #f6f6f4;
  --good: #00694b; --busy: #005a9e; --bad: #b03a00; }
@media (prefers-color-scheme: dark) { :root { --paper: #16181a; --ink: #e6e6e3; --soft: #a5a5a0; --rule: #3a3d40;
  --panel: #202326; --good: #4fc59b; --busy: #6db8ee; --bad: #f2935c; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0 auto; padding: 1rem clamp(.75rem, 3vw, 2rem) 3rem; max-width: 78rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: .5rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 .5rem; padding-bottom: .2rem; border-bottom: 1px solid var(--rule);
  overflow-wrap: anywhere; }
h3 { font-size: 1.05rem; margin: 1.5rem 0 .4rem; overflow-wrap: anywhere; }
p { margin: .4rem 0; max-width: 60rem; }
a { color: var(--busy); overflow-wrap: anywhere; }
nav ul { list-style: none; margin: .75rem 0; padding: 0; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; }
.soft, .note { color: var(--soft); font-size: .875rem; }
.note { overflow-wrap: anywhere; margin: .2rem 0; }
.scroll { overflow-x: auto; margin: .5rem 0 .25rem; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: .25rem 0; }
th, td { padding: .15rem .6rem; text-align: right; white-space: nowrap; vertical-align: baseline; }
th { font-weight: 600; color: var(--soft); }
thead th { border-bottom: 1px solid var(--soft); }
tbody tr { border-bottom: 1px solid var(--rule); }
tr.heading th { text-align: left; padding-top: .6rem; }
.l1 :is(td, th):nth-child(-n+1), .l2 :is(td, th):nth-child(-n+2), .l3 :is(td, th):nth-child(-n+3) { text-align: left; }
.l1 td:first-child, .l2 td:first-child, .l3 td:first-child { font-weight: 500; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 26rem), 1fr)); gap: .5rem 1rem;
  max-width: 66rem; }
.charts.many { grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); }
svg.chart { width: 100%; height: auto; display: block; fill: none; stroke-linejoin: round; }
svg.chart text { font: 13px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: var(--ink); }
[stroke="rgb( 68,  68,  68)"] { stroke: var(--soft); } [stroke="rgb(224, 224, 224)"] { stroke: var(--rule); }
[stroke="rgb(119, 119, 119)"] { stroke: var(--soft); stroke-dasharray: 2 3; }
.disc { fill: currentColor; opacity: .7; } .ring { stroke: currentColor; stroke-width: .4; }
.key { list-style: none; padding: 0; margin: .5rem 0; display: flex; flex-wrap: wrap; gap: .1rem 1.2rem;
  font-size: .875rem; }
.key i { display: inline-block; width: 1.6rem; height: 0; border-top: 3px solid; vertical-align: middle;
  margin-right: .4rem; }
.key i.dashed { border-top: 2px dashed; }
.key i.thin { border-top-width: 1px; }
details { margin: .25rem 0; }
summary { cursor: pointer; padding: .2rem 0; overflow-wrap: anywhere; }
details.group > summary { font-weight: 600; }
details.group > details, details.run > :not(summary) { margin-left: 1rem; }
details.run { border-top: 1px solid var(--rule); margin: 0; }
details.run > summary span { margin-right: .9rem; }
.status { font-size: .8rem; font-weight: 600; color: var(--good); }
.status.running { color: var(--busy); } .status.failed { color: var(--bad); }
dl { margin: .4rem 0; font-size: .875rem; columns: 18rem; column-gap: 2rem; max-width: 70rem; }
dl div { break-inside: avoid; overflow-wrap: anywhere; }
dt { display: inline; color: var(--soft); } dt::after { content: ": "; } dd { display: inline; margin: 0; }
figure { margin: .5rem 0 1.5rem; } figcaption { font-size: .875rem; color: var(--soft); overflow-wrap: anywhere; }
.problems { padding-left: 1.2rem; font-size: .875rem; overflow-wrap: anywhere; }
figure img { max-width: 100%; max-height: 44rem; height: auto; background: #fff; }
footer { margin-top: 3rem; border-top: 1px solid var(--rule); padding-top: .5rem; }
@media (max-width: 40rem) { body { font-size: .95rem; } th, td { padding: .15rem .4rem; }
  details.group > details, details.run > :not(summary) { margin-left: .25rem; } }
@media print { :root { color-scheme: light; --paper: #fff; --ink: #000; --soft: #444; --rule: #ccc; }
  @page { margin: 14mm; } body { max-width: none; padding: 0; font-size: 9.5pt; } nav { display: none; }
  a { color: inherit; text-decoration: none; } .scroll { overflow: visible; }
  table { font-size: 7pt; } th, td { padding: .1rem .25rem; white-space: normal; }
  .note, .soft, dl, .key { font-size: 8pt; } p { max-width: none; } h2, h3, caption { break-after: avoid; }
  tr, svg.chart, figure, details.run { break-inside: avoid; } .charts { grid-template-columns: 1fr 1fr; }
  details.group:not([open]), details.run:not([open]), .on-screen { display: none; } }
)css";

}  // namespace normalign

import { AGENT_COLOURS, COMMON_COLOUR, INITIAL_COLOUR } from './palette.ts';

const COLOURS = AGENT_COLOURS.map((colour, n) => `.a${n}{--c:${colour}}`).join('');

/** The page's style: one column, figures as wide as there is room, tables in boxes that scroll by themselves. */
export const REPORT_STYLE = `
:root{color-scheme:light;--ink:#1b1f24;--soft:#565e69;--rule:#d5d9df;--paper:#fff;--shade:#f5f6f8;--c:#1b1f24}${COLOURS}
*{box-sizing:border-box}
html{scroll-behavior:smooth;-webkit-text-size-adjust:100%}
body{font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;color:var(--ink);background:var(--paper);margin:0 auto;padding:1.5rem 1.25rem 4rem;max-width:70rem;overflow-wrap:break-word}
h1{font-size:1.7rem;line-height:1.2;margin:.2rem 0 .4rem}
h2{font-size:1.3rem;margin:2.2rem 0 .3rem;padding-top:.9rem;border-top:2px solid var(--ink)}
h3{font-size:1.05rem;margin:1.6rem 0 .3rem}
h4{font-size:.95rem;margin:1rem 0 .2rem}
p{margin:.35rem 0;max-width:48rem}
a{color:#0b5a9c}
code,pre{font:13px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.soft,.note,.none,figcaption{color:var(--soft)}
.note{font-size:.86rem}
figure{margin:1rem 0 1.8rem}
figcaption{font-size:.9rem;max-width:48rem}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;padding:0;margin:.8rem 0 0;font-size:.93rem}
.warning{border-left:5px solid #d55e00;background:#fdf3ec;padding:.5rem .9rem;margin:1rem 0;max-width:none}
dl.answer{display:grid;grid-template-columns:repeat(auto-fit,minmax(11.5rem,1fr));gap:1px;background:var(--rule);border:1px solid var(--rule);border-radius:6px;overflow:hidden;margin:1.2rem 0}
dl.answer>div{background:var(--shade);padding:.6rem .8rem;font-size:.92rem;line-height:1.4}
dl.answer dt{font-size:.8rem;letter-spacing:.04em;text-transform:uppercase;color:var(--soft)}
dl.answer dd{margin:.15rem 0 0}
dl.answer .big{font-size:1.35rem;font-weight:650;line-height:1.25;display:block}
.key{overflow-wrap:anywhere}
.key svg{width:.8em;height:.8em;margin-right:.3em;overflow:visible;vertical-align:-.04em}.key path{fill:var(--c)}
ul.keys{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;padding:0;margin:.3rem 0;font-size:.9rem}
.swatch{display:inline-block;width:.85em;height:.85em;border-radius:2px;background:var(--c);vertical-align:-.08em;margin-right:.35em}
.swatch.initial{background:${INITIAL_COLOUR}}.swatch.common{background:${COMMON_COLOUR}}.swatch.peers{background:#333}
.chart,.scroll{overflow-x:auto;position:relative}
.chart svg{display:block;width:100%;min-width:40rem;height:auto;font-size:12px}
.chart text{fill:var(--ink)}.chart .axes text,.chart text.name{fill:var(--soft)}
.grid{stroke:#e6e9ed;fill:none}.rule{stroke:#9aa2ac;fill:none}.strip{fill:#f3f4f6}
.line{fill:none;stroke:var(--c);stroke-width:1.8;stroke-linejoin:round;opacity:.75}
.dots{fill:none;stroke:var(--c);stroke-width:4;stroke-linecap:round;opacity:.45}.dots.failed{opacity:.25}
.marks path{fill:var(--paper);stroke:var(--c);stroke-width:1.6}.marks>path:only-of-type,.marks path.published{fill:var(--c)}
.marks path.failed{fill:none;stroke-width:1.8}.marks path.copy{opacity:.4}
.arrow .shaft{fill:none;stroke:var(--c);stroke-width:2.6}.arrow.weak .shaft{stroke-dasharray:6 4}
.head{fill:var(--c)}
.badge rect{fill:var(--paper);stroke:var(--c);stroke-width:1.4}.badge text{font-size:11px;font-weight:650}
.badge:hover rect,.badge:focus rect,.badge.lit rect{fill:#fff3c4;stroke-width:2.4}.arrow.lit .shaft,.crossing.lit .shaft{stroke-width:5}
.bar{fill:var(--c)}.bar.initial{fill:${INITIAL_COLOUR}}.bar.common{fill:${COMMON_COLOUR}}.bar.peers{fill:#333}.back{fill:var(--shade)}
.lineage circle{stroke:var(--c);stroke-width:1.6}.lineage .on{fill:var(--c)}.lineage .off{fill:var(--paper)}.lineage .failed{stroke-dasharray:2 2}
.edge{fill:none;stroke:var(--c);opacity:.4}.edge.best{stroke-width:2.6;opacity:.9}
.crossing .shaft{stroke:var(--c);stroke-width:1.6;stroke-dasharray:4 3;fill:none}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:650;padding:.2rem 0}
th,td{padding:.3rem .7rem .3rem 0;border-bottom:1px solid var(--rule);text-align:left;vertical-align:top}
th{font-weight:600}thead th{color:var(--soft);border-bottom:1px solid #9aa2ac}
th.n,td.n{text-align:right;white-space:nowrap}
.table{margin:1rem 0 1.6rem}
.adoptions{width:100%;table-layout:fixed}.adoptions .c-number{width:2.2rem}.adoptions .c-who{width:28%}.adoptions .c-effect{width:15%}.adoptions .c-evidence{width:24%}
.adoptions>tbody{border-bottom:1px solid var(--rule);scroll-margin-top:.5rem}.adoptions>tbody>tr>td,.adoptions>tbody>tr>th{border:0}
.adoptions>tbody>.detail>td{padding:0 0 .6rem}
.adoptions>tbody.lit>tr:first-child,.adoptions>tbody:target>tr:first-child{background:#fff3c4}
.adoptions .sub{display:block;font-size:.84rem;color:var(--soft)}
.effect{font-weight:650;white-space:nowrap}
details>summary{cursor:pointer}
summary:focus-visible,a:focus-visible,button:focus-visible,select:focus-visible,.scroll:focus-visible{outline:3px solid #0072b2;outline-offset:2px}
details[hidden]{display:none}details.run{border-top:1px solid var(--rule);padding:.5rem 0}details.run>summary{font-weight:600}
details.tables>summary{font-weight:600;padding:.35rem 0}
.detail>td>details>summary{color:#0b5a9c;font-size:.9rem}
blockquote{margin:.5rem 0;padding:.2rem 0 .2rem .9rem;border-left:4px solid var(--c);white-space:pre-line;max-width:52rem}
ul.seen{margin:.3rem 0;padding-left:1.2rem;font-size:.9rem}
.diff{border:1px solid var(--rule);border-radius:4px;margin:.6rem 0;max-height:42rem;overflow:auto}
.diff table{font-size:.82rem;width:100%}
.diff thead th{position:sticky;top:0;background:var(--shade);z-index:1;padding:.35rem .6rem;border-bottom:2px solid var(--c)}
.diff tbody th,.diff tbody td{padding:.15rem .6rem;border-bottom:1px solid #eef0f3}
.diff tbody th{white-space:nowrap;font-weight:600}.diff td.n{color:var(--soft)}
.diff td:last-child{width:100%}
.diff pre{margin:0;tab-size:4;white-space:pre}
.k-both,.k-kept{color:#4d5560}.k-both th,.k-kept th{font-weight:400}
.k-taken>td:last-child,.k-new>td:last-child{border-left:5px solid var(--c);background:color-mix(in srgb,var(--c) 13%,white)}
.k-dropped>td:last-child,.k-left>td:last-child{border-left:5px dotted var(--c);color:#5b636d}
.k-dropped pre{text-decoration:line-through;text-decoration-color:#9aa2ac}
.gap{color:#5b636d;font-size:.82rem}
.controls{display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:center;margin:.6rem 0;font-size:.9rem}.controls[hidden]{display:none}.controls label{display:flex;gap:.35rem;max-width:100%}.controls select{min-width:0;max-width:18rem}
select,button{font:inherit;padding:.15rem .5rem;max-width:100%;border:1px solid #868e99;border-radius:4px;background:var(--paper);color:var(--ink)}
dl.methods dt{font-weight:650;margin-top:.8rem}dl.methods dd{margin:.1rem 0 0;max-width:48rem}
@media(max-width:44rem){
.chart svg{font-size:14px}
body{padding:1rem .9rem 3rem}
.adoptions>thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}
.adoptions,.adoptions>tbody,.adoptions>tbody>tr,.adoptions>tbody>tr>*{display:block}
.adoptions>caption{display:block}.adoptions>tbody{padding:.6rem 0}.adoptions>tbody[hidden]{display:none}
.adoptions>tbody>tr>*{padding:.1rem 0;text-align:left}
.adoptions>tbody>tr>[data-label]::before{content:attr(data-label) ": ";color:var(--soft);font-weight:400}
.diff table,.diff tbody,.diff tbody>tr,.diff tbody>tr>td:last-child{display:block}
.diff thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}
.diff tbody>tr{border-bottom:1px solid var(--rule);width:max-content;min-width:100%}.diff tbody th,.diff tbody td{border:0}
.diff tbody th,.diff td.n{display:inline-block;padding:.15rem .4rem;position:sticky;left:0}.diff td.n:empty{display:none}
.diff td[data-label]::before{content:attr(data-label) ": "}
}
@media print{
@page{margin:14mm}
body{font-size:10.5pt;padding:0;max-width:none}
nav,.controls,.badge title{display:none!important}
h2,h3,caption,summary{break-after:avoid}figure,.adoptions tbody tr:first-child,dl.answer{break-inside:avoid}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}
details::details-content{display:block!important;content-visibility:visible!important;height:auto!important}
details.gap::details-content,[data-print="folded"] .detail details::details-content{display:none!important}
.chart,.scroll,.diff{overflow:visible;max-height:none}.chart svg{min-width:0}
.diff pre{white-space:pre-wrap;overflow-wrap:anywhere}.diff thead th{position:static}
table{font-size:8.5pt}.table table{font-size:6.5pt;width:100%}.table th,.table td{padding-right:.35rem;white-space:normal;overflow-wrap:anywhere}
a{color:inherit;text-decoration:none}
}
`;

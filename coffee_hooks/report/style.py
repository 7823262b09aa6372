"""How the page looks: on a phone and on a desk, by day and by night, without a script or anything from elsewhere."""

from __future__ import annotations

STYLE = """
:root{color-scheme:light dark;--ground:#faf8f5;--sheet:#fff;--ink:#231d19;--soft:#62574f;--rule:#e4dcd3;
--idle:#8d8278;--agent:#2a6cb0;--gate:#b4580a;--merge:#8566c2;--good:#17703c;--bad:#b3261e;--cut:#efe8df}
@media(prefers-color-scheme:dark){:root{--ground:#171311;--sheet:#211c19;--ink:#f2ebe3;--soft:#bdb0a4;--rule:#3d352f;
--idle:#8f8478;--agent:#6fa8e6;--gate:#efa04b;--merge:#b79fe6;--good:#70c890;--bad:#ff8d84;--cut:#2c2521}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
"Noto Sans","Liberation Sans",sans-serif;overflow-wrap:anywhere}
header,main,footer{max-width:74rem;margin:auto;padding:0 1rem}
header{padding-top:2rem}
h1{font-size:1.75rem;line-height:1.2;margin:0 0 .25rem}
h2{font-size:1.25rem;margin:0 0 .75rem}
p{margin:.5rem 0}
.lead{font-size:1.125rem}
.soft,.note,.none,footer{color:var(--soft)}
footer{padding-top:1rem;padding-bottom:3rem;font-size:.875rem}
section{background:var(--sheet);border:1px solid var(--rule);border-radius:.75rem;padding:1.25rem;margin:1.25rem 0}
section.bare{background:none;border:0;padding:0}
ul,ol{margin:0;padding:0;list-style:none}
.cards{display:grid;gap:.75rem;grid-template-columns:repeat(auto-fit,minmax(12.5rem,1fr))}
.cards li{background:var(--sheet);border:1px solid var(--rule);border-radius:.75rem;padding:.875rem 1rem}
.cards li{display:flex;flex-direction:column}
.cards span{display:block}
.cards .name{flex:1}
.cards .value{font-size:1.75rem;font-weight:650;line-height:1.3;font-variant-numeric:tabular-nums}
.cards .name::first-letter{text-transform:uppercase}
.chip{display:inline-block;border:1px solid;border-radius:1rem;padding:0 .6rem;font-size:.875rem;white-space:nowrap}
.cards .chip{display:inline-block}
.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--gate)}.open{color:var(--soft)}
.legend{display:flex;flex-wrap:wrap;gap:.125rem 1.25rem;margin-bottom:.5rem;font-size:.875rem;color:var(--soft)}
.legend li{display:flex;align-items:center;gap:.4rem}
.row{display:grid;grid-template-columns:minmax(8rem,17rem) 1fr;gap:0 1rem;align-items:center}
.row svg{display:block;overflow:visible}
.row .label,.row .unit{font-size:.9375rem;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.axis{font-size:.8125rem;color:var(--soft)}
.axis .unit{text-align:right;font-size:.8125rem}
.axis text{font-size:.8125rem;fill:var(--soft)}
.bars .row+.row{border-top:1px solid var(--rule)}
.grid{stroke:var(--rule)}
.cut{fill:var(--cut)}
.idle{fill:var(--idle)}.agent{fill:var(--agent)}.merge{fill:var(--merge)}.gate{fill:url(#hatch);stroke:var(--gate)}
.agent.lost{fill:var(--sheet);stroke:var(--bad);stroke-width:1.5;stroke-dasharray:3 2}
.ground{fill:var(--sheet)}.hatch{stroke:var(--gate);stroke-width:2}
.hidden{position:absolute}
.mark path{stroke:var(--sheet);stroke-width:1.5;stroke-linejoin:round;stroke-linecap:round}
.mark.landed path{fill:var(--good)}.mark.conflict path{fill:var(--bad)}.mark.red path{fill:var(--gate)}
.mark.removed path{fill:var(--ink)}
.scroll{overflow-x:auto;margin:.75rem -1.25rem -.25rem;padding:0 1.25rem .25rem}
.scroll:focus-visible,summary:focus-visible{outline:2px solid var(--agent);outline-offset:2px}
table{border-collapse:collapse;width:100%;font-size:.9375rem;overflow-wrap:normal}
caption{text-align:left;color:var(--soft);font-size:.875rem;padding-bottom:.25rem}
th,td{text-align:left;vertical-align:top;padding:.4rem 1rem .4rem 0;border-bottom:1px solid var(--rule);
font-variant-numeric:tabular-nums}
thead th{font-weight:600;color:var(--soft);white-space:nowrap}
tbody th{font-weight:600;white-space:nowrap}
td:last-child,th:last-child{padding-right:0}
td{white-space:nowrap}
td.long{white-space:normal;min-width:14rem;max-width:34rem;overflow-wrap:anywhere}
details{margin-top:.75rem}
summary{cursor:pointer;color:var(--agent);padding:.25rem 0}
.arcs{display:grid;grid-template-columns:104px minmax(0,1fr)}
.arcs svg{display:block;overflow:visible}
.arcs path{fill:none;stroke-width:1.75}
.arcs .collision{stroke:var(--bad);stroke-dasharray:6 3}.arcs .dependency{stroke:var(--agent)}
.arcs .met{stroke:var(--bad)}
.arcs .unknown{stroke:var(--idle);stroke-dasharray:2 3}
.arcs .head{fill:var(--agent);stroke:none}
.arcs .tied{fill:var(--ink)}.arcs .free{fill:var(--idle)}
.nodes li{height:32px;line-height:32px;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.state{color:var(--soft);font-size:.875rem}
.runs{display:block;margin:.5rem 0}
.runs .green{fill:var(--good)}.runs .red{fill:var(--sheet);stroke:var(--bad);stroke-width:2}
.runs .error{fill:var(--sheet);stroke:var(--idle);stroke-dasharray:2 2}.runs .flaky{fill:url(#hatch);stroke:var(--gate)}
@media(max-width:44rem){
header{padding-top:1.25rem}
section{padding:1rem}
.cards{grid-template-columns:1fr}
.cards li{display:grid;grid-template-columns:1fr auto;align-items:center;gap:0 .75rem}
.cards .value{font-size:1.375rem;grid-row:1/3;grid-column:2;text-align:right}
.row{grid-template-columns:1fr}
.row .label{padding-top:.4rem}
.axis .unit{display:none}
.axis .minor{display:none}
.scroll{margin-left:0;margin-right:0;padding-left:0;padding-right:0}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
table,tbody,caption{display:block}
tr{display:flex;flex-wrap:wrap;gap:.125rem 1rem;align-items:baseline;padding:.6rem 0}
tbody tr+tr{border-top:1px solid var(--rule)}
tbody th{flex:1 1 100%;white-space:normal;padding:0;border:0}
td,td.long{white-space:normal;padding:0;border:0;min-width:0;max-width:none}
td.long{flex:1 1 100%}
td[data-head]::before{content:attr(data-head) " ";color:var(--soft);font-size:.875rem}
}
.bare .scroll{margin-left:0;margin-right:0;padding-left:0;padding-right:0}
@media print{body{background:#fff}section{break-inside:avoid}}
"""

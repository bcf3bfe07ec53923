"""The style sheet of all reports."""

from __future__ import annotations

STYLE = """
:root { color-scheme:light dark; --paper:#fbfaf7; --card:#fff; --ink:#1c2526; --soft:#5c6b6d; --line:#e3e2dc;
  --accent:#0f5c63; --good:#1d8a5b; --bad:#c93a3a; --warn:#b7791f; --calm:#7a7fb8; --none:#efede7;
  --mono:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace }
@media screen and (prefers-color-scheme:dark) { :root { --paper:#131819; --card:#1b2223; --ink:#e6ebea; --soft:#9aa8a8;
  --line:#2c3637; --accent:#6cc3c9; --good:#4fc08d; --bad:#f07272; --warn:#e0a33e; --calm:#a3a8e0; --none:#242c2d } }
* { box-sizing:border-box }
body { margin:0; background:var(--paper); color:var(--ink); font-variant-numeric:tabular-nums;
  font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif }
main { max-width:1080px; margin:0 auto; padding:40px 24px 64px }
header { display:flex; justify-content:space-between; gap:24px; align-items:baseline; margin-bottom:28px }
h1 { font-size:26px; line-height:1.25; margin:0; letter-spacing:-.01em; overflow-wrap:anywhere; unicode-bidi:isolate }
h2 { font-size:17px; margin:44px 0 14px; letter-spacing:-.005em }
h3 { font-size:14px; margin:0 0 2px; overflow-wrap:anywhere; unicode-bidi:isolate }
p { margin:0 0 10px }
.soft { color:var(--soft) } .small { font-size:13px }
.brand { font-weight:650; color:var(--accent); letter-spacing:.01em }
.card { background:var(--card); border:1px solid var(--line); border-radius:12px; padding:20px 22px }
.hero { display:grid; grid-template-columns:auto 1fr; gap:30px; align-items:center; padding:28px 30px }
.hero svg { width:148px; height:148px; display:block }
.hero p { margin:0 }
.hero .verdict { font-size:22px; font-weight:650; line-height:1.3; margin:0 0 6px; letter-spacing:-.01em }
.good { color:var(--good) } .bad { color:var(--bad) } .warn { color:var(--warn) } .calm { color:var(--calm) }
.tiles { display:grid; grid-template-columns:repeat(auto-fit,minmax(128px,1fr)); gap:12px; margin-top:14px }
.tile { background:var(--card); border:1px solid var(--line); border-radius:10px; padding:12px 14px }
.tile b { display:block; font-size:21px; font-weight:620; letter-spacing:-.01em }
.tile span { color:var(--soft); font-size:13px }
.grid { display:grid; grid-template-columns:repeat(auto-fill,minmax(300px,1fr)); gap:14px }
.sheet svg { width:100%; height:auto; display:block; margin-top:10px; shape-rendering:crispEdges }
.sheet .line { color:var(--soft); font-size:13px }
table { border-collapse:collapse; width:100%; font-size:14px }
.scroll { overflow-x:auto }
th { text-align:left; color:var(--soft); font-weight:550; font-size:13px; padding:6px 14px 6px 0;
  border-bottom:1px solid var(--line) }
td { border-bottom:1px solid var(--line); padding:7px 14px 7px 0; vertical-align:top }
tr:last-child td { border-bottom:0 }
td.n, th.n { text-align:right }
td:last-child, th:last-child { padding-right:0 }
code { font-family:var(--mono); font-size:12.5px; unicode-bidi:isolate; overflow-wrap:anywhere }
.ref { color:var(--accent) }
.ref, .name, td.n code { white-space:nowrap }
.pill { display:inline-block; border:1px solid currentColor; border-radius:99px; padding:0 8px; font-size:12px }
.legend { display:flex; flex-wrap:wrap; gap:6px 18px; font-size:13px; color:var(--soft); margin:0 0 12px }
.legend i { display:inline-block; width:11px; height:11px; border-radius:3px; margin-right:6px; vertical-align:-1px }
.bars { display:grid; grid-template-columns:max-content 1fr max-content; gap:8px 14px; align-items:center;
  font-size:14px }
.bars .track { background:var(--none); border-radius:4px; height:10px; overflow:hidden }
.bars .fill { background:var(--accent); height:100%; border-radius:4px }
details > summary { cursor:pointer; color:var(--accent); font-size:14px; padding:10px 0 4px }
footer { margin-top:48px; padding-top:16px; border-top:1px solid var(--line); color:var(--soft); font-size:13px }
.pair { display:grid; grid-template-columns:repeat(auto-fit,minmax(380px,1fr)); gap:14px; align-items:start }
.plotted svg { width:100%; height:auto; display:block } .plotted { padding:12px 14px }
.graph { overflow-x:auto }
.graph svg { display:block; max-width:none }
img.plot { width:100%; height:auto; display:block; border-radius:6px; background:#fff }
@media (max-width:620px) { .hero { grid-template-columns:1fr } main { padding:24px 16px } }
@media print { @page { margin:14mm } body { background:#fff; font-size:12px } main { max-width:none; padding:0 }
  * { print-color-adjust:exact; -webkit-print-color-adjust:exact } h2 { break-after:avoid; margin-top:28px }
  .tile,.hero,.sheet,tr { break-inside:avoid } .scroll,.graph { overflow:visible }
  .graph svg { max-width:100%; height:auto } }
"""

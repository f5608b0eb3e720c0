//! How the page looks: system fonts, both colour schemes, nothing loaded.

pub(super) const SHEET: &str = "
:root { color-scheme: light dark; --line: #8885; --good: #2a8a4a; --info: #2a6fb5; --warn: #b57a00; --bad: #c0392b; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0; }
main { max-width: 70rem; margin: 0 auto; padding: 1rem; }
header { border-left: .5rem solid var(--info); padding: .5rem 1rem; background: #8881; }
header.stateful { border-color: var(--bad); } header.suspect, header.inconclusive { border-color: var(--warn); } header.no-evidence { border-color: var(--good); }
h1 { font-size: 1.5rem; margin: 0; } h2 { margin: 2rem 0 .5rem; font-size: 1.2rem; }
.tag { color: #fff; border-radius: .25rem; padding: 0 .4rem; font-size: .85rem; }
.tag.good { background: var(--good); } .tag.info { background: var(--info); } .tag.warn { background: var(--warn); } .tag.bad { background: var(--bad); }
details.finding { border: 1px solid var(--line); border-radius: .3rem; padding: .4rem .8rem; margin: .4rem 0; }
summary { cursor: pointer; overflow-wrap: anywhere; }
pre, .scroll { overflow-x: auto; } pre { background: #8881; padding: .5rem; font-size: .8rem; }
table { border-collapse: collapse; font-size: .8rem; } th, td { border: 1px solid var(--line); padding: .1rem .3rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
table.matrix th { white-space: nowrap; overflow-wrap: normal; font-weight: normal; } table.matrix th:first-child { position: sticky; left: 0; background: Canvas; }
table.matrix th.check { writing-mode: vertical-rl; font-weight: normal; } table.matrix td { text-align: center; padding: 0; width: 1.3rem; }
td.good { background: #2a8a4a55; } td.info { background: #2a6fb555; } td.warn { background: #e0a80099; } td.bad { background: #c0392bcc; color: #fff; }
tr.masked td { color: #888; background: #8882; }
svg { max-width: 100%; height: auto; } svg text { font: 12px system-ui, sans-serif; fill: currentColor; }
.waived { font-style: italic; }
";

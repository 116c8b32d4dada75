"""How the feed page looks: one style sheet, no file from anywhere else, light and dark, narrow and wide."""

STYLE = """
:root { color-scheme: light dark; --paper: #fbfaf8; --card: #fff; --ink: #1d1b19; --soft: #6f6a64; --line: #e7e2dc;
  --accent: #b3471d; --frame: #efebe5; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #171614; --card: #211f1d; --ink: #f1eeea; --soft: #a39c94; --line: #35312d; --accent: #f08a5d;
    --frame: #2b2825; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
header, main { max-width: 1180px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 28px; }
header p { margin: 4px 0 16px; color: var(--soft); }
.brand { display: inline-flex; align-items: center; gap: 10px; font-size: 21px; font-weight: 700; color: inherit;
  text-decoration: none; }
.logo { width: 22px; height: 22px; border-radius: 7px;
  background: linear-gradient(135deg, #f4a261, #b3471d 55%, #6d2e46); }
nav { display: flex; flex-wrap: wrap; gap: 8px; padding-bottom: 18px; border-bottom: 1px solid var(--line); }
.chip { padding: 5px 13px; border: 1px solid var(--line); border-radius: 99px; background: var(--card); color: inherit;
  text-decoration: none; font-size: 14px; overflow-wrap: anywhere; }
.chip.on { background: var(--ink); border-color: var(--ink); color: var(--paper); }
a:focus-visible, .many:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
h1 { display: flex; align-items: baseline; gap: 12px; margin: 22px 0 16px; font-size: 25px; line-height: 1.2;
  overflow-wrap: anywhere; }
h1 small { color: var(--soft); font-size: 14px; font-weight: 400; white-space: nowrap; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 340px), 1fr)); gap: 22px;
  align-items: start; padding-bottom: 60px; }
article { background: var(--card); border: 1px solid var(--line); border-radius: 14px; overflow: hidden; min-width: 0; }
.who { display: flex; align-items: center; gap: 11px; padding: 13px 15px; }
.who > div { flex: 1; min-width: 0; line-height: 1.3; }
.face { display: grid; place-items: center; flex: none; width: 38px; height: 38px; border-radius: 50%; color: #fff;
  font-weight: 700; background: linear-gradient(135deg, #e76f51, #6d2e46); }
.handle { display: block; color: inherit; font-weight: 650; text-decoration: none; overflow: hidden;
  text-overflow: ellipsis; white-space: nowrap; }
time { color: var(--soft); font-size: 13px; white-space: nowrap; }
.badge { flex: none; padding: 2px 9px; border-radius: 99px; background: var(--frame); color: var(--soft);
  font-size: 12px; }
.frame { position: relative; background: var(--frame); min-height: 44px; }
.pictures img, .pictures video { display: block; width: 100%; aspect-ratio: 1; object-fit: contain; }
.many { display: flex; overflow-x: auto; scroll-snap-type: x mandatory; }
.many > * { flex: 0 0 100%; scroll-snap-align: start; }
.kind { position: absolute; top: 10px; right: 10px; padding: 1px 9px; border-radius: 99px; background: #000a;
  color: #fff; font-size: 12px; }
.caption { margin: 13px 15px 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.caption:empty { display: none; }
.counts { display: flex; flex-wrap: wrap; gap: 4px 14px; margin: 11px 15px 14px; color: var(--soft); font-size: 14px; }
.counts a { margin-left: auto; color: var(--accent); overflow-wrap: anywhere; }
ul { margin: 0; padding: 10px 15px 13px; border-top: 1px solid var(--line); list-style: none; font-size: 14px; }
li { margin: 3px 0; overflow-wrap: anywhere; }
.reply { padding-left: 18px; }
.empty { grid-column: 1 / -1; margin: 0; padding: 60px 20px; border: 1px dashed var(--line); border-radius: 14px;
  color: var(--soft); text-align: center; }
"""

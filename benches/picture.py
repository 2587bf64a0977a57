#!/usr/bin/env python3
"""The picture of what a token costs, from the figures of `benches/token_load.py --json FILE`.

    benches/picture.py FIGURES docs/images/token-cost.svg
"""

import json
import pathlib
import statistics
import sys

BARS = [
    ("bare", "Bare web server (actix-web)", "bare"),
    ("remembered", "Countersign, remembered", "own"),
    ("first of a session", "Countersign, first token of a session", "own"),
    ("Fastify, HMAC by hand", "Fastify with SQLite, HMAC by hand", "other"),
    ("Go net/http, golang-jwt", "Go with SQLite, golang-jwt", "other"),
    ("Express, jsonwebtoken", "Express with SQLite, jsonwebtoken", "other"),
]
WIDTH, LEFT, ROW, TOP = 760, 300, 34, 48

STYLE = """
  text { font: 15px system-ui, sans-serif; fill: #1b1f24 }
  .title { font-weight: 600 }
  .ground { fill: #ffffff } .own { fill: #1d6f5c } .other { fill: #8a94a0 } .bare { fill: #c9d0d8 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6eaef }
    .ground { fill: #14191f }
    .own { fill: #4fb89d } .other { fill: #7c8794 } .bare { fill: #4a545f }
  }
"""


def main():
    source, target = sys.argv[1:]
    figures = json.loads(pathlib.Path(source).read_text(encoding="utf-8"))
    costs = [(label, kind, statistics.median(figures[name])) for name, label, kind in BARS]
    most = max(cost for _, _, cost in costs)
    height = TOP + ROW * len(costs) + 8
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-16 -8 {WIDTH + 32} {height + 16}" role="img" aria-labelledby="title">',
        '<title id="title">Processor time for one token</title>',
        f"<style>{STYLE}</style>",
        # A page may be light although its reader prefers dark.
        f'<rect class="ground" x="-16" y="-8" width="{WIDTH + 32}" height="{height + 16}" rx="6"/>',
        '<text class="title" x="0" y="20">Processor time for one token, in microseconds: shorter is better</text>',
    ]
    for row, (label, kind, cost) in enumerate(costs):
        y, width = TOP + row * ROW, max(2, cost / most * (WIDTH - LEFT - 60))
        lines += [
            f'<text x="{LEFT - 12}" y="{y + 16}" text-anchor="end">{label}</text>',
            f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{width:.1f}" height="22" rx="3"/>',
            f'<text x="{LEFT + width + 8:.1f}" y="{y + 16}">{cost:.0f}</text>',
        ]
    pathlib.Path(target).write_text("\n".join([*lines, "</svg>", ""]), encoding="utf-8")


if __name__ == "__main__":
    main()

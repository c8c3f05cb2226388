"""Brings the tables of docs/performance.md up to date with the figures in benchmarks/results.

    python benchmarks/page.py [--check]

A table stands between a line `<!-- NAME.json -->` and a line `<!-- end -->`. With `--check`,
nothing is written, and the exit code is 1 where a table is not that of its file.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

from harness import markdown

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.md"
RESULTS = ROOT / "benchmarks" / "results"
BLOCK = re.compile(r"(<!-- (?P<name>[\w.-]+\.json) -->\n).*?(?=<!-- end -->)", re.DOTALL)


def main() -> int:
    """Write the page, or compare it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--check", action="store_true", help="write nothing")
    check = options.parse_args().check
    before = PAGE.read_text(encoding="utf-8")
    after = filled(before, RESULTS)
    if check:
        return int(before != after)
    PAGE.write_text(after, encoding="utf-8")
    return 0


def filled(page: str, results: Path) -> str:
    """The page with every table as its file has it."""

    def block(match: re.Match[str]) -> str:
        report = json.loads((results / match["name"]).read_text(encoding="utf-8"))
        return f"{match[1]}\n{rendered(report)}\n\n"

    return BLOCK.sub(block, page)


def rendered(report: dict[str, Any]) -> str:
    """The command, what it was measured on, and the table of a report."""
    data = ", ".join(f"{key} {_data(value)}" for key, value in report["data"].items())
    rows = [
        (row.pop("what"), row.pop("method"), row) for row in (dict(row) for row in report["rows"])
    ]
    return f"`{report['command']}`: {data}\n\n{markdown(rows)}"


def _data(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{_data(inner)} {key}" for key, inner in value.items())
    return f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    sys.exit(main())

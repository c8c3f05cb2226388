"""The page of figures shows what the benchmarks kept, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from harness import Report
from page import PAGE, RESULTS, filled

KEPT = sorted(path.name for path in RESULTS.glob("*.json"))


def test_a_table_is_made_of_its_file(tmp_path: Path) -> None:
    report = Report("speed", {"songs": 12_345, "1/4": {"playlists": 1000}})
    report.add("reading", "melon", {"s": 1.25})
    (tmp_path / "speed.json").write_text(json.dumps(report.to_json()))
    page = filled("# Page\n\n<!-- speed.json -->\nold\n<!-- end -->\n\nafter\n", tmp_path)
    assert "songs 12,345, 1/4 1,000 playlists" in page
    assert "| reading | melon | 1.25 |" in page
    assert "old" not in page
    assert page.startswith("# Page\n")
    assert page.endswith("<!-- end -->\n\nafter\n")
    assert filled(page, tmp_path) == page


def test_the_page_is_up_to_date() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert filled(page, RESULTS) == page, "run python benchmarks/page.py"


@pytest.mark.parametrize("name", KEPT)
def test_every_result_is_shown_and_says_where_it_was_measured(name: str) -> None:
    assert f"<!-- {name} -->" in PAGE.read_text(encoding="utf-8")
    kept = json.loads((RESULTS / name).read_text(encoding="utf-8"))
    assert kept["machine"]
    assert kept["commit"]

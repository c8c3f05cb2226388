"""The notebook runs from its first cell to its last, and shows what it says."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from command_line import on_one_engine
from nbclient import NotebookClient
from places import Place

TOUR = Path(__file__).resolve().parent.parent / "examples" / "tour.ipynb"


@on_one_engine
@pytest.mark.usefixtures("nothing_found")
def test_the_tour_runs(demo_place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    for name, value in demo_place.environment.items():
        monkeypatch.setenv(name, value)
    notebook = nbformat.read(TOUR, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    NotebookClient(notebook, timeout=100, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    tables = [o.data["text/html"] for o in outputs if "text/html" in o.get("data", {})]
    assert len(tables) == 3
    assert "<caption>Songs</caption>" in tables[0]
    said = "".join(output.text for output in outputs if output.output_type == "stream")
    assert "did you mean Jazz?" in said
    assert "#PLAYLIST:rainy day" in said

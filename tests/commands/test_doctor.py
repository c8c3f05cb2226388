"""`melon doctor`: what would be used and why, and what to do; 1 where there is something to do."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from command_line import Command, Done, melon, on, on_one_engine
from places import Place

from melon.embedding import EmbeddingSpace
from melon.files import read_json


def checks(done: Done) -> dict[str, dict[str, Any]]:
    found = json.loads(done.out)
    assert found["healthy"] is (done.code == 0)
    assert done.code == any(check["do"] for check in found["checks"])
    return {check["check"]: check for check in found["checks"]}


def test_a_store_in_order(ask: Command, demo_place: Place):
    done = ask("doctor", "--json")
    found = checks(done)
    assert done.code == 0
    assert list(found) == [
        *("versions", "settings", "ports", "store", "live release", "strategy", "releases"),
        *("space", "disk"),
    ]
    assert demo_place.options[0] in found["store"]["found"]
    assert "MELON_" in found["settings"]["found"]
    table = ask("doctor")
    assert table.out.startswith("Doctor\n")
    assert "to do" not in table.out
    assert table.err == "all is in order\n"


@on_one_engine
def test_what_is_to_be_done_is_not_cut_in_a_narrow_terminal(demo_place: Place, tmp_path: Path):
    done = melon("doctor", "--path", str(tmp_path / "none"), environment={"COLUMNS": "60"})
    words = " ".join(done.out.split())
    assert "…" not in words
    assert "melon ingest" in words


def test_what_is_missing_is_said_with_what_to_do(
    place: Place, demo_space: EmbeddingSpace, tmp_path: Path
):
    environment = place.environment | {"MELON_HOME": str(tmp_path / "home")}
    found = checks(melon("doctor", "--json", *place.options, environment=environment))
    missing = found["store"] if place.engine == "embedded" else found["live release"]
    ingest = f"melon ingest {' '.join(place.options)}"
    assert missing["do"] == f"melon train DIR, then {ingest} (or melon demo)"
    demo_space.save(tmp_path / "home" / "space")
    found = checks(melon("doctor", "--json", *place.options, environment=environment))
    assert found["space"]["do"] == ingest
    assert "in no release" in found["space"]["found"]


def test_a_space_is_known_by_its_release(
    demo_place: Place, demo_space: EmbeddingSpace, tmp_path: Path
):
    demo_space.save(tmp_path / "space")
    assert isinstance(read_json(tmp_path / "space" / "manifest.json"), dict)
    environment = demo_place.environment | {"MELON_HOME": str(tmp_path)}
    found = checks(melon("doctor", "--json", *demo_place.options, environment=environment))
    assert found["space"]["found"].endswith(", live")
    (tmp_path / "space" / "manifest.json").write_text("{")
    found = checks(melon("doctor", "--json", *demo_place.options, environment=environment))
    assert found["space"]["do"]


def test_what_cannot_be_asked_is_told(tmp_path: Path):
    done = melon(
        "doctor",
        environment={"MELON_QDRANT_URL": "http://127.0.0.1:9", "MELON_QDRANT_TIMEOUT": "1"},
    )
    assert done.code == 1
    assert "cannot be reached" in done.out
    assert done.err == "1 thing to do\n"
    found = checks(melon("doctor", "--json", environment={"MELON_QDRANT_ULR": "x"}))
    assert found["settings"]["do"] == "did you mean MELON_QDRANT_URL?"
    (tmp_path / "store").write_text("")
    found = checks(melon("doctor", "--json", "--path", str(tmp_path / "store")))
    assert found["store"]["do"] == "name the directory of a store"


def test_what_is_advised_goes_to_the_store_that_was_named(place: Place, tmp_path: Path):
    here = " ".join(place.options)
    for line in (["doctor"], ["query", "--tag", "x"], ["releases"], ["releases", "drop", "x"]):
        done = melon(*line, *place.options, environment=place.environment)
        commands = re.findall(r"melon (?:ingest|releases).*", done.out + done.err)
        assert commands, done.err
        assert all(re.match(rf"melon \w+ {re.escape(here)}", one) for one in commands), commands
    done = melon("query", "--path", str(tmp_path / "my store"))
    assert f"`melon ingest --path '{tmp_path}/my store'`" in done.err
    assert (
        "`melon ingest` first" in melon("query", "--tag", "x", environment={"MELON_HOME": "no"}).err
    )


@on_one_engine
def test_every_error_looks_the_same(demo_place: Place):
    for line, what in (
        (["query", "--sogn", "x"], "no such option: --sogn"),
        (["query", "--limit", "many"], "invalid value for '--limit' / '-n'"),
        (["recomend"], "no such command 'recomend'"),
        (["show"], "missing argument 'kind'"),
        (["query", "--genre", "Jaz"], "there is no genre 'Jaz'"),
    ):
        done = on(demo_place)(*line) if line[0] == "query" else melon(*line)
        assert done.code == 2
        first, *more = done.err.removeprefix(f"store: {demo_place.open().location}\n").splitlines()
        assert first.startswith(f"error: {what}")
        assert more[0].startswith("  hint: ")


def test_the_help_that_is_proposed_is_of_the_command():
    """However it was started: `python -m melon`, or as a part of another program."""
    assert "`melon query --help`" in melon("query", "--limit").err
    assert "`melon --help`" in melon("--nothing").err

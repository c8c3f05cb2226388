"""What the documents say is so: fields, settings, commands, links, and every example runs."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import unicodedata
from itertools import pairwise
from pathlib import Path
from typing import Any

import cli_reference
import field_reference
import pytest
from keyed_demo import OWN_FIELDS
from places import SERVER, ServerPlace
from qdrant_binary import VERSION
from qdrant_client import models

from melon.catalog import Playlist, Song, is_attribute
from melon.catalog.importing.names import MEANINGS, USUAL_NAMES
from melon.demo import DemoTruth
from melon.embedding import EmbeddingSpace, training_settings
from melon.embedding.settings import PRESETS
from melon.fields import payload_fields
from melon.learning import train_corpus
from melon.retrieval import PlaylistQuery, Retriever
from melon.settings import Settings
from melon.store import (
    SCHEMA,
    Collection,
    ReleaseManifest,
    VectorStore,
    bigram_point_id,
    tag_point_id,
    word_point_id,
)
from melon.store.schema import (
    DENSE,
    FIRST_BIGRAM_ITEM,
    FIRST_TAG_ITEM,
    FIRST_WORD_ITEM,
    NAMESPACE,
    SCHEMA_VERSION,
)
from melon.text import clean_text, normalise
from melon.titles import TitleTokenizer

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parent.parent
COLLECTIONS = (ROOT / "docs" / "collections.md").read_text()
README = (ROOT / "README.md").read_text()
FORMAT = (ROOT / "docs" / "format.md").read_text()
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
FLAGS = re.MULTILINE | re.DOTALL
EXAMPLES = sorted(
    path for path in (ROOT / "examples").iterdir() if path.suffix in (".py", ".sh", ".mjs")
)
TYPES: dict[str, Any] = {"string": str, "strings": str, "integer": int, "integers": int}


def table_below(heading: str, text: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    section = re.split(rf"^#+ {re.escape(heading)}$", text, flags=re.MULTILINE)[1]
    rows = re.search(r"^\|.*\n\|[-|]+\n((?:\|.*\n)+)", section, re.MULTILINE)
    assert rows
    return [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows[1].splitlines()]


def test_the_reference_of_the_fields_is_not_stale():
    assert field_reference.TARGET.read_text() == field_reference.reference(), "run `make docs`"


@pytest.mark.parametrize("collection", Collection)
def test_payloads_hold_the_documented_fields_and_types(
    demo_store: VectorStore, collection: Collection
):
    """None that is not documented, each documented one somewhere, and none that is empty."""
    fields = {field.name: field for field in payload_fields(SCHEMA[collection].fields)}
    records = demo_store.open().find(collection, None, 2000)
    assert records
    seen = set()
    for record in records:
        assert set(record.payload) <= set(fields), record
        for name, value in record.payload.items():
            kind = field_reference.payload_type(fields[name])
            assert value not in ("", [], None), (name, record)
            assert isinstance(value, list) == kind.endswith("s"), (name, value)
            for one in value if isinstance(value, list) else [value]:
                assert isinstance(one, TYPES.get(kind, str)), (name, value)
            if kind == "datetime":
                assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value), (name, value)
        seen |= set(record.payload)
    records_have = {Collection.SONGS: Song, Collection.PLAYLISTS: Playlist}.get(collection)
    optional = {
        field.name
        for field in fields.values()
        if field.source and records_have and not is_attribute(records_have, field)
    }
    assert set(fields) - seen <= optional | {"key", "key_words"}  # the demo has none of those


def test_the_collections_are_those_of_the_schema():
    rows = {row[0].strip("`"): row for row in table_below("The collections", COLLECTIONS)}
    assert list(rows) == [f"melon_{collection}" for collection in Collection]
    for collection in Collection:
        *_, dense, sparse = rows[f"melon_{collection}"]
        assert dense == f"`{DENSE}`"
        assert sparse.strip("`") == (SCHEMA[collection].sparse or "")


def test_the_recipe_of_the_point_ids_is_right():
    recipe = re.search(r"```python\n(import uuid\n.*?)```", COLLECTIONS, re.DOTALL)
    assert recipe
    names: dict[str, Any] = {}
    exec(recipe[1], names)
    assert names["NAMESPACE"] == NAMESPACE
    assert names["point_id"] == tag_point_id("rainy day")
    for first, shown in (
        (FIRST_TAG_ITEM, "tags from 2³¹,"),
        (FIRST_WORD_ITEM, "words from 2³¹ + 2³⁰,"),
        (FIRST_BIGRAM_ITEM, "letter bigrams from 2³¹ + 2³⁰ + 2²⁹)"),
    ):
        assert shown in COLLECTIONS
        powers = {"2³¹": 2**31, "2³⁰": 2**30, "2²⁹": 2**29}
        assert first == sum(powers[power] for power in re.findall("2[³²][¹⁰⁹]", shown))


def test_the_point_ids_that_are_shown_are_right():
    makers = {"tag": tag_point_id, "word": word_point_id, "bigram": bigram_point_id}
    rows = re.findall(r"^\| `(\w+):(.+)` \| `([0-9a-f-]{36})` \|$", COLLECTIONS, re.MULTILINE)
    assert {kind for kind, _, _ in rows} == set(makers)
    assert not all(text.isascii() for _, text, _ in rows)
    for kind, text, shown in rows:
        assert text == clean_text(text)
        assert makers[kind](text) == shown


def test_the_manifest_is_documented(demo_store: VectorStore):
    fields = [row[0].strip("`") for row in table_below("Releases", COLLECTIONS)]
    assert fields == list(ReleaseManifest.model_fields)
    assert f"This is version {SCHEMA_VERSION}." in " ".join(COLLECTIONS.split())
    for exponent in demo_store.open().manifest.weights:
        assert f"n^`{exponent}`" in COLLECTIONS


def test_the_versions_that_are_tested_are_documented():
    text = " ".join(COLLECTIONS.split())
    assert f"Qdrant {VERSION}." in text
    assert f"server {VERSION}," in text
    locks = [(ROOT / f"requirements-{end}.lock").read_text() for end in ("oldest", "dev")]
    oldest, newest = (re.findall(r"^qdrant-client==(\S+)", lock, re.MULTILINE) for lock in locks)
    minor = newest[0].rpartition(".")[0]
    assert f"qdrant-client that melon allows, {oldest[0]} and {minor}." in text


def test_every_source_of_a_vector_is_documented(demo_space: EmbeddingSpace):
    rows = [row[0] for row in table_below("Vectors", COLLECTIONS)]
    documented = {name for row in rows for name in re.findall("`([a-z]+)`", row)}
    tables = [demo_space.songs, demo_space.playlists, demo_space.tag_table, demo_space.word_table]
    found = {source for table in tables for source in table["vector_source"].to_pylist()}
    assert found - {None} <= documented == {
        "trained", "album", "artist", "genre", "playlists", "items"
    }  # fmt: skip


def test_every_setting_is_documented():
    settings = (ROOT / "docs" / "settings.md").read_text()
    documented = {row[0].strip("`"): row[1:] for row in table_below("Variables", settings)}
    fields = {f"MELON_{name.upper()}": field for name, field in Settings.model_fields.items()}
    assert list(documented) == list(fields)
    for name, (default, description) in documented.items():
        field = fields[name]
        assert default == ("" if field.default is None else f"`{field.default}`")
        assert description == field.description


def shown_commands() -> list[tuple[str, str]]:
    """Each `$ melon …` line of the documents, with the name of its file."""
    return [
        (path.name, line.split("#")[0].strip())
        for path in DOCUMENTS
        for line in re.findall(r"^\$ (melon .*)$", path.read_text(), re.MULTILINE)
    ]


@pytest.mark.parametrize("option", ["dim", "epochs", "window", "negative", "workers", "seed"])
def test_the_help_of_train_shows_the_defaults_of_both_presets(option: str):
    default, published = (getattr(training_settings(name), option) for name in PRESETS)
    both = "" if default == published else f"; published: {published}"
    reference = (ROOT / "docs" / "cli.md").read_text()
    section = reference.split("\n## melon train\n")[1].split("\n## ")[0]
    [row] = re.findall(rf"^\| `--{option}` .*$", section, re.MULTILINE)
    assert f"[default: {default}{both}]" in row


def test_the_commands_that_are_shown_exist():
    reference = dict(cli_reference.commands(cli_reference.command_line()))
    shown = shown_commands()
    assert len(shown) > 15
    for where, line in shown:
        words = line.split()[1:]
        name = " ".join(words[:2]) if " ".join(words[:2]) in reference else words[0]
        assert name in reference or name.startswith("--"), (where, line)
        options = set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", line))
        section = cli_reference.section(name, reference[name])
        assert options <= set(re.findall("`(--?[a-z-]+)`", section)), (where, line)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_files_that_a_document_names_are_there(document: Path):
    for name in re.findall(
        r"`((?:[a-z_]+/)*[a-z_]+\.(?:py|json|md|sh|svg))`", document.read_text()
    ):
        if "/" in name:
            assert (ROOT / name).is_file(), name


def test_the_architecture_names_every_room():
    rooms = " ".join(row[0] for row in table_below("The rooms", ARCHITECTURE))
    packages = {path.parent.name for path in ROOT.glob("[!.]*/__init__.py")} - {"tests"}
    assert packages == set(re.findall(r"`([a-z]+)/`", rooms))


def test_the_architecture_names_every_error():
    [tree] = re.findall(r"^```\n(MelonError.*?)^```$", ARCHITECTURE, FLAGS)
    classes = {
        node.name: [ast.unparse(base) for base in node.bases]
        for package in ROOT.glob("[!.]*/__init__.py")
        for path in [*package.parent.rglob("*.py"), *ROOT.glob("*.py")]
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef) and package.parent.name != "tests"
    }

    def is_error(name: str) -> bool:
        return name == "MelonError" or any(map(is_error, classes.get(name, ())))

    errors = set(filter(is_error, classes)) - {"SpaceError"}  # of which only the kinds are raised
    assert errors == set(re.findall(r"\b[A-Z]\w+", tree))


def shown_answers() -> list[tuple[str, list[str]]]:
    """The commands on the demo's store that README shows with what they print."""
    blocks = "".join(re.findall(r"^```console\n(.*?)^```$", README, FLAGS))
    pairs = re.findall(
        r"^\$ melon (.*) --path \.melon/demo/store\n((?:[^$].*\n|\n)*)", blocks, re.M
    )
    return [(command, answer.splitlines()) for command, answer in pairs if answer]


def test_the_commands_of_the_readme_print_what_is_shown(tmp_path: Path):
    """But for figures, which another processor may round otherwise, and songs that tie by them."""
    quiet = {**os.environ, "MELON_HOME": str(tmp_path), "COLUMNS": "100"}
    run(sys.executable, "-m", "melon.cli", "demo", "--out", str(tmp_path), environment=quiet)
    assert len(shown_answers()) >= 2
    for command, answer in shown_answers():
        words = [*shlex.split(command), "--path", str(tmp_path / "store")]
        out = run(sys.executable, "-m", "melon.cli", *words, environment=quiet)
        printed = {line.split("  ")[0].strip() for line in out.splitlines()}
        names = [line.split("  ")[0].strip() for line in answer if not line.startswith("store:")]
        assert sum(name in printed for name in names) >= len(names) - 1, (command, out)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path):
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", document.read_text()):
        path, _, anchor = target.partition("#")
        linked = (document.parent / path) if path else document
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", linked.read_text(), re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}
            assert anchor in anchors, target


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_shown_as_it_is(example: Path):
    shown = [path for path in DOCUMENTS if f"```\n{example.read_text()}```" in fences(path)]
    assert shown, f"no document shows {example.name} as it is"


def fences(document: Path) -> str:
    """The document with the languages of its code blocks left out."""
    return re.sub(r"^```[a-z]+$", "```", document.read_text(), flags=re.MULTILINE)


@pytest.fixture
def live_demo(demo_place: ServerPlace) -> dict[str, str]:
    """The environment in which an application finds the demo release on the server."""
    return os.environ | demo_place.environment | {"MELON_QDRANT_URL": demo_place.server.url}


def run(*command: str, environment: dict[str, str]) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


on_the_server = pytest.mark.parametrize("demo_place", [SERVER], indirect=True)


def liked_song(space: EmbeddingSpace) -> tuple[int, str]:
    """A trained song with a genre, and that genre's name."""
    for song, source, genres in zip(
        space.song_ids.tolist(),
        space.songs["vector_source"].to_pylist(),
        space.songs["genres"].to_pylist(),
        strict=True,
    ):
        if source == "trained" and genres:
            return song, space.genres[genres[0]].name
    raise AssertionError("no song has a genre")


@on_the_server
@pytest.mark.parametrize("script", ["filtered_search.sh", "from_songs.sh", "tag_to_songs.sh"])
def test_curl_examples(live_demo: dict[str, str], demo_space: EmbeddingSpace, script: str):
    song, genre = liked_song(demo_space)
    other = next(s for s in demo_space.song_ids.tolist() if s != song)
    arguments = {
        "filtered_search.sh": [str(song), genre],
        "from_songs.sh": [str(song), str(other)],
        "tag_to_songs.sh": ["비 오는 날"],
    }[script]
    assert shutil.which("curl"), "the examples need curl"
    answer = json.loads(
        run("sh", str(ROOT / "examples" / script), *arguments, environment=live_demo)
    )
    points = answer["result"]["points"]
    assert points
    assert song not in [point["id"] for point in points]
    if script == "filtered_search.sh":
        for point in points:
            assert genre in point["payload"]["genre_names"]
            assert "2000" <= point["payload"]["issue_date"][:4] <= "2009"
    else:
        assert len(points) == 10


@on_the_server
def test_an_application_without_melon(live_demo: dict[str, str], demo_space: EmbeddingSpace):
    """The same answers as those of the shell, in the same order."""
    song, genre = liked_song(demo_space)
    other = next(s for s in demo_space.song_ids.tolist() if s != song)
    arguments = {
        "filtered_search.sh": [str(song), genre],
        "from_songs.sh": [str(song), str(other)],
        "tag_to_songs.sh": [" rain"],
    }
    example = str(ROOT / "examples" / "direct.py")
    out = run(sys.executable, example, str(song), str(other), " rain", environment=live_demo)
    first, *answers = re.split(r"^\S.*\n", out, flags=re.MULTILINE)
    assert out.startswith(f"{genre} of the 2000s near song {song}:\n")
    assert first == ""
    for (script, given), answer in zip(arguments.items(), answers, strict=True):
        shown = run("sh", str(ROOT / "examples" / script), *given, environment=live_demo)
        points = [point["id"] for point in json.loads(shown)["result"]["points"]]
        assert [int(line.split()[1]) for line in answer.splitlines()] == points
    assert_no_import_of_melon(example)


@pytest.mark.parametrize("keyed_place", [SERVER], indirect=True)
def test_keys_without_melon(keyed_place: ServerPlace):
    """The shell and Python find the same songs by their keys; Python reads the own fields, too."""
    environment = keyed_place.environment | {"MELON_QDRANT_URL": keyed_place.server.url}
    environment = os.environ | environment
    with keyed_place.open() as store:
        popular = store.open().top(Collection.SONGS, "popularity", 30, payload=("key",))
    ids = {song.payload["key"]: song.id for song in popular if "key" in song.payload}
    keys = list(ids)[:3]
    shell = str(ROOT / "examples" / "by_key.sh")
    found = json.loads(run("sh", shell, *keys, environment=environment))["result"]["points"]
    assert {point["payload"]["key"]: point["id"] for point in found} == {
        key: ids[key] for key in keys
    }
    example = str(ROOT / "examples" / "by_key.py")
    out = run(sys.executable, example, *keys, environment=environment)
    declared, *songs = out.splitlines()
    for field in OWN_FIELDS:
        assert f"{field.name} ({field.type})" in declared
    assert len(songs) == 10
    assert any("'bpm': " in song for song in songs)
    assert not any(f"'{key}'" in song for key in keys for song in songs)
    assert_no_import_of_melon(example)


@on_the_server
def test_a_song_without_a_genre_is_said(live_demo: dict[str, str], demo_space: EmbeddingSpace):
    genres = demo_space.songs["genres"].to_pylist()
    sources = demo_space.songs["vector_source"].to_pylist()
    row = next(row for row in range(len(genres)) if not genres[row] and sources[row])
    song, other = demo_space.song_ids[[row, row - 1]].tolist()
    example = str(ROOT / "examples" / "direct.py")
    out = run(sys.executable, example, str(song), str(other), "rain", environment=live_demo)
    assert out.startswith(f"no genre of song {song} is known\nlike song {song}, unlike")


def assert_no_import_of_melon(example: str) -> None:
    assert not re.search(r"(import|from) melon", Path(example).read_text())


@on_the_server
def test_a_title_without_melon(live_demo: dict[str, str]):
    example = str(ROOT / "examples" / "from_title.py")
    out = run(sys.executable, example, "Rainy DAY", environment=live_demo)
    playlists, songs, tags = out.splitlines()[:3], out.count("\nsong "), out.splitlines()[13:]
    for line in playlists:
        assert re.fullmatch(r"playlist \d+  .+ · .+", line)
        assert "rainy" in line.lower()
    assert songs == 10
    assert "tag rainy day" in tags
    assert_no_import_of_melon(example)


def normal_forms() -> list[tuple[str, str]]:
    """The texts of the page with their normal forms."""
    rows = table_below("The normal form", COLLECTIONS)
    return [(json.loads(text.strip("`")), json.loads(form.strip("`"))) for text, form in rows]


def test_the_normal_forms_that_are_shown_are_right():
    for text, form in normal_forms():
        assert normalise(text) == normalise(form) == form


def part_of(example: str, name: str) -> Any:
    """A function of an example, without what the example does when it is imported."""
    tree = ast.parse((ROOT / "examples" / example).read_text())
    wanted = ("INVISIBLE", "SYMBOLS", "stored", "letters", "letter_bigrams")
    tree.body = [
        node
        for node in tree.body
        if (isinstance(node, ast.FunctionDef) and node.name in wanted)
        or (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in wanted)
    ]
    names: dict[str, Any] = {"re": re, "unicodedata": unicodedata, "pairwise": pairwise}
    exec(compile(tree, example, "exec"), names)
    return names[name]


TITLES = ["ΐ ᾳ̂", "비\n오는 날", "ÅΣς", "1️⃣2 ❶3 ㊗4 ①5 🄋6 ℹa™b", "👍🏽i̇ J̇ a\u200dı", "\ud800x\u3164y"]


def test_an_example_cuts_titles_into_the_same_bigrams_as_melon():
    bigrams = part_of("from_title.py", "letter_bigrams")
    for title in [*TITLES, *(text for text, _ in normal_forms())]:
        assert bigrams(title) == TitleTokenizer.bigrams(title)


def test_an_example_strips_tags_as_melon_does():
    stored = part_of("direct.py", "stored")
    bare = ["rain", "비 오는 날", "❤️", "❤", "a️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "‼️", "1️⃣", "a󠁧󠁿", "", "é\n!"]
    around = ["", " ", "\u200b\ufeff", "\u2800\n", "\ufe0f", "\u3164\u00ad"]
    for tag in (f"{first}{tag}{last}" for first in around for tag in bare for last in around):
        assert stored(tag) == (clean_text(tag) or ""), ascii(tag)


@on_the_server
def test_a_continuation_without_melon(
    live_demo: dict[str, str], demo_store: VectorStore, demo_space: EmbeddingSpace
):
    """Most of what `recommend` finds; the tags of `neighbours`, but for ties at the end."""
    example = str(ROOT / "examples" / "continuation.py")
    [seeds] = [songs[:5] for songs in demo_space.playlists["songs"].to_pylist()[:1]]
    out = run(sys.executable, example, *map(str, seeds), environment=live_demo)
    songs = {int(song) for song in re.findall(r"^song (\d+)  .* · ", out, re.MULTILINE)}
    tags = set(re.findall(r"^tag (.*)$", out, re.MULTILINE))
    assert (len(songs), len(tags)) == (100, 10)
    assert songs.isdisjoint(seeds)
    found = Retriever(demo_store).recommend(
        PlaylistQuery(songs=tuple(seeds)), limit=100, tag_limit=10
    )
    assert len(songs & {song.id for song in found.songs}) >= 75
    assert len(tags & {tag.tag for tag in found.tags}) >= 7
    assert_no_import_of_melon(example)


@on_the_server
@pytest.mark.parametrize("example", ["continuation.py", "from_title.py"])
def test_another_schema_is_refused(live_demo: dict[str, str], example: str, tmp_path: Path):
    """By an application that was written for another version."""
    source = (ROOT / "examples" / example).read_text()
    older = source.replace(f"SCHEMA_VERSION = {SCHEMA_VERSION}\n", "SCHEMA_VERSION = 1\n")
    assert older != source
    (tmp_path / example).write_text(older)
    command = [sys.executable, str(tmp_path / example), "1"]
    done = subprocess.run(command, env=live_demo, capture_output=True, text=True, timeout=240)
    assert done.returncode == 1
    assert done.stderr.endswith(f" is of schema version {SCHEMA_VERSION}, not 1\n")


@on_the_server
def test_the_filters_that_are_shown(demo_place: ServerPlace, demo_space: EmbeddingSpace):
    """Qdrant takes them, and they find songs, where they do not ask for what only one demo has."""
    conditions = [re.search(r"`(\{.*\})`", row[1]) for row in table_below("Filters", COLLECTIONS)]
    assert len(conditions) > 4
    for condition in conditions:
        assert condition
        shown = models.Filter.model_validate({"must": [json.loads(condition[1])]})
        with demo_place.client() as client:
            found = client.count(f"{demo_place.prefix}_songs", count_filter=shown).count
        assert found > 0 or "artist_keys" in condition[1] or "genre_years" in condition[1]


@on_the_server
def test_text_search_scroll_and_facet_in_three_languages(
    live_demo: dict[str, str], demo_store: VectorStore, javascript: Path
):
    """They find the same, which is what melon finds."""
    word = "lu"
    examples = ROOT / "examples"
    in_python = run(sys.executable, str(examples / "lookup.py"), word, environment=live_demo)
    shutil.copy(examples / "lookup.mjs", javascript)
    in_javascript = run("node", str(javascript / "lookup.mjs"), word, environment=live_demo)
    assert in_javascript == in_python
    scroll, facet = map(
        json.loads,
        run("sh", str(examples / "lookup.sh"), word, environment=live_demo).splitlines(),
    )
    songs = [(song["id"], song["payload"]) for song in scroll["result"]["points"]]
    genres = [(genre["value"], genre["count"]) for genre in facet["result"]["hits"]]
    assert in_python.splitlines() == [
        *(
            f"{song} {known['name']} {', '.join(known['artists'])} {known['popularity']}"
            for song, known in songs
        ),
        *(f"{name} {count}" for name, count in genres),
    ]
    found = Retriever(demo_store).find(word, kinds=["songs"], limit=5).songs
    assert [payload["popularity"] for _, payload in songs] == [
        song.payload["popularity"] for song in found
    ]
    assert len(songs) == 5
    assert_no_import_of_melon(str(examples / "lookup.py"))


def test_the_lock_of_the_javascript_client_names_no_host():
    lock = json.loads((ROOT / "examples" / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages
    for name, package in packages.items():
        assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name
    wanted = json.loads((ROOT / "examples" / "package.json").read_text())["dependencies"]
    for name, version in wanted.items():
        assert packages[f"node_modules/{name}"]["version"] == version
        assert f"`{name}` {version}" in COLLECTIONS


@on_the_server
def test_the_snippets_of_the_page_on_python_run(
    live_demo: dict[str, str], demo_corpus: tuple[Path, DemoTruth], tmp_path: Path
):
    """One after the other, as one program, beside a corpus."""
    (tmp_path / "corpus").symlink_to(demo_corpus[0])
    page = (ROOT / "docs" / "python.md").read_text()
    snippets = re.findall(r"^```python\n(.*?)^```$", page, FLAGS)
    assert snippets
    program = tmp_path / "program.py"
    program.write_text("\n".join(snippets))
    done = subprocess.run(
        [sys.executable, "-W", "error", str(program)],
        env=live_demo,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr + done.stdout


def test_what_the_page_on_the_format_imports_can_be_trained_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """No playlist is lost by a song that is missing, nor one without a title."""
    [snippet] = re.findall(r"^```python\n(.*?)^```$", FORMAT, FLAGS)
    monkeypatch.chdir(tmp_path)
    exec(snippet, {})
    assert "4 playlists, 3 songs" in capsys.readouterr().out
    space = train_corpus([Path("own")], Path("own/space"), strict=True)
    assert space.counts == {"songs": 3, "tags": 3, "playlists": 4, "words": space.counts["words"]}
    assert space.songs["key"].to_pylist() == ["x:a", "x:b", "x:c"]
    assert space.playlists["title"].to_pylist() == ["rainy day", None, "gym", "later"]


def test_the_usual_names_of_columns_are_documented():
    rows = {row[0].strip("`"): row[1:] for row in table_below("Columns", FORMAT)}
    assert rows == {
        role.value: [MEANINGS[role], ", ".join(names)] for role, names in USUAL_NAMES.items()
    }


@on_the_server
def test_the_python_api_example(live_demo: dict[str, str]):
    out = run(sys.executable, str(ROOT / "examples" / "recommend.py"), environment=live_demo)
    *songs, tags, near = out.splitlines()
    assert 1 <= len(songs) <= 5
    assert all(re.fullmatch(r"-?\d+\.\d{3}  .+ · .+ · (199\d|200\d).*", song) for song in songs)
    assert tags.startswith("tags: ")
    assert near.startswith("near the tag rain: ['")

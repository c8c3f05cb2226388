"""An answer in a notebook: a frame to go on with, and tables that show what they are given."""

from __future__ import annotations

import sys

import pytest
from playwright.sync_api import Page

from melon.errors import InputError, MissingExtra
from melon.fields import FieldType, own_field
from melon.retrieval import Because, Constraints, Recommendation, Retriever, Song, Tag, Unknown
from melon.store import VectorStore

EVIL = "<script>document.title = 'run'</script><img src=x onerror=\"document.title='run'\">&amp;"


def answer(**changes: object) -> Recommendation:
    live = Song(2, 0.4, name="Dawn (Live)", artists=("IU",))
    songs = (
        Song(
            1, 0.987654, "k:1", EVIL, (EVIL, "아이유"), ("R&B/Soul",), "2012-10", versions=(live,)
        ),
        Song(3, 0.5, None, None, (), (), None),
    )
    given = {"songs": songs, "tags": (Tag("비 <b>", 0.25),), "unknown": Unknown(tags=("<i>",))}
    return Recommendation("s", "r1", "hybrid", None, **given | changes)  # type: ignore[arg-type]


def test_tables_show_names_as_they_are(page: Page):
    page.set_content(answer()._repr_html_())
    assert page.title() == ""
    cells = page.locator("table").first.locator("td").all_inner_texts()
    assert cells == [
        *("k:1", "", EVIL, f"{EVIL}, 아이유", "R&B/Soul", "2012-10", "Dawn (Live)", "0.988"),
        *("", "3", "", "", "", "", "", "0.500"),
    ]
    assert page.locator("table").nth(1).locator("td").all_inner_texts() == ["비 <b>", "0.250"]
    assert page.locator("caption").all_inner_texts() == ["Songs", "Tags"]
    assert page.locator("p").all_inner_texts() == ["Unknown: <i>.", "hybrid, release r1"]
    assert page.locator("script, img, i, b").count() == 0


def test_what_is_popular_and_what_is_empty(page: Page):
    popular = answer(songs=(Song(3, 1234.0),), tags=(), popular=("songs",), unknown=Unknown())
    page.set_content(popular._repr_html_())
    assert page.locator("th").all_inner_texts() == ["id", "playlists"]
    assert page.locator("td").all_inner_texts() == ["3", "1,234"]
    assert "What is popular" in page.locator("p").first.inner_text()
    assert "<table" not in answer(songs=(), tags=())._repr_html_()


def test_where_no_song_passes_nothing_is_called_popular(retriever: Retriever):
    constraints = Constraints(where=["popularity > 1000000"])
    html = retriever.recommend(tags=["rain"], constraints=constraints)._repr_html_()
    assert "<p>No songs: there are no others, or none passes the constraints.</p>" in html
    assert "popular" not in html


def test_a_frame_has_a_row_for_each(retriever: Retriever):
    found = retriever.recommend(title="rainy day", limit=15)
    frame = found.to_frame()
    assert frame["id"].tolist() == [song.id for song in found.songs]
    assert frame["score"].tolist() == [song.score for song in found.songs]
    assert frame["artists"].tolist() == [list(song.artists) for song in found.songs]
    tags = found.to_frame("tags")
    assert tags["tag"].tolist() == [tag.tag for tag in found.tags]
    empty = answer(songs=(), tags=())
    assert (list(empty.to_frame()), len(empty.to_frame("tags"))) == (list(answer().to_frame()), 0)
    with pytest.raises(InputError, match="no 'playlists'"):
        found.to_frame("playlists")  # type: ignore[arg-type]


def test_a_frame_has_the_columns_of_the_release_whatever_was_found(keyed_store: VectorStore):
    retriever = Retriever(keyed_store)
    found = retriever.recommend(tags=["rain"], limit=15)
    none = retriever.recommend(constraints=Constraints(where=["popularity > 1000000"]))
    assert {"bpm", *found.songs[0].to_json()} <= {*found.to_frame()}
    assert list(none.to_frame()) == list(found.to_frame())
    assert len(none.to_frame()["bpm"]) == 0
    bpm = [song.more.get("bpm") for song in found.songs]
    assert found.to_frame()["bpm"].isna().tolist() == [one is None for one in bpm]


def test_no_own_field_can_have_a_name_that_results_have():
    because = (Because("tag", "rain", 1.0),)
    song = Song(1, 1.0, because=because, playlists=because, versions=(Song(2, 0.5),))
    for name in song.to_json():
        with pytest.raises(InputError, match=f"'{name}' means something already"):
            own_field(name, FieldType.FLOAT)


def test_without_pandas_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtra, match="pandas") as refused:
        answer().to_frame()
    assert refused.value.hint == "pip install pandas"

"""What a query may hold, and how its tags, titles and songs are looked up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from unicodedata import normalize

import pyarrow as pa
import pytest
from demo_catalogue import Catalogue
from hypothesis import given
from hypothesis import strategies as st
from places import Place

from melon.embedding import EmbeddingSpace
from melon.errors import InputError
from melon.ingest import ingest
from melon.retrieval import (
    STRATEGIES,
    AmbiguousSong,
    Constraints,
    Item,
    ModalityWeights,
    PlaylistQuery,
    QueryKind,
    Recommendation,
    Retriever,
    UnknownItem,
    UnknownSong,
    UnknownStrategy,
    Variety,
)
from melon.text import clean_text, name_key
from melon.titles import TitleTokenizer


@pytest.mark.parametrize("song", [-1, 2**31, 2**70, 1.5, None, True])
@pytest.mark.parametrize("field", ["songs", "not_songs"])
def test_an_id_that_no_song_can_have_is_refused(field: str, song: object):
    with pytest.raises(InputError) as refusal:
        PlaylistQuery.model_validate({field: (song,)})
    assert refusal.value.exit_code == 2
    if song is not True:
        assert str(refusal.value).startswith(f"{field}[0]: PlaylistQuery: input should be")


@pytest.mark.parametrize(
    ("ask", "where"),
    [
        (lambda: PlaylistQuery(tags="rain"), "tags: PlaylistQuery"),
        (lambda: PlaylistQuery(title=5), "title: PlaylistQuery"),
        (lambda: PlaylistQuery(playlist=-1), "playlist: PlaylistQuery"),
        (lambda: PlaylistQuery(song=(1,)), "song: PlaylistQuery"),
        (lambda: PlaylistQuery(weights={"songs": -1}), "songs: ModalityWeights"),
        (lambda: Variety(diversity=2), "diversity: Variety"),
        (lambda: Variety(max_per_artist=0), "max_per_artist: Variety"),
        (lambda: Constraints(exclude_songs=(-1,)), r"exclude_songs\[0\]: Constraints"),
        (lambda: PlaylistQuery(playlist=True), "True is not an id"),
        (lambda: Item(song=True), "True is not an id"),
        (lambda: Item(song=1.5), "song: Item"),
        (lambda: Item(playlist=-1), "playlist: Item"),
        (lambda: Item(tag=7), "tag: Item"),
        (lambda: Item(album=7), "album: Item"),
        (lambda: Item(word="\udce9"), "not valid Unicode"),
    ],
)
def test_what_is_wrong_in_a_question_is_named(ask: Callable[[], object], where: str):
    """One kind of error for all that a program may pass on from its users."""
    with pytest.raises(InputError, match=where) as refusal:
        ask()
    assert len(str(refusal.value).splitlines()) <= 2


@pytest.mark.parametrize("weight", [-1, 1001, 1e39, float("nan"), float("inf")])
def test_a_weight_is_a_number(weight: float):
    with pytest.raises(InputError, match="songs: ModalityWeights"):
        ModalityWeights(songs=weight)


@pytest.mark.parametrize("blank", ["", " ", "\u3000\n", "\u200b", "\ufeff \u2060\u00ad", "\u3164"])
@pytest.mark.parametrize("field", ["tags", "not_tags", "title"])
def test_a_blank_text_is_refused(field: str, blank: str):
    """It would silently ask for what is popular."""
    given = blank if field == "title" else ("rain", blank)
    with pytest.raises(InputError, match="is empty"):
        PlaylistQuery.model_validate({field: given})


def test_repeated_seeds_count_once(retriever: Retriever):
    once = retriever.recommend(PlaylistQuery(songs=(1, 2), tags=("rain",)))
    twice = retriever.recommend(PlaylistQuery(songs=(1, 2, 1), tags=("rain", "rain")))
    assert twice == once


@pytest.mark.parametrize("spelling", ["RAINY DAY", "rainyday", " Rainy  Day"])
def test_a_tag_is_known_however_it_is_spaced_and_cased(retriever: Retriever, spelling: str):
    found = retriever.recommend(PlaylistQuery(tags=(spelling,)))
    assert found == retriever.recommend(PlaylistQuery(tags=("rainy day",)))
    assert not found.unknown


@given(text=st.text(st.characters(codec="utf-8")).filter(clean_text))
def test_a_tag_is_brought_to_the_form_of_the_catalogue(text: str):
    for tag in (text, f" {text}\u3000", normalize("NFD", text)):
        assert PlaylistQuery(tags=(tag,)).tags == (clean_text(tag),)
        assert PlaylistQuery(not_tags=(tag, text)).not_tags == (clean_text(text),)


def test_every_tag_is_known_decomposed_and_with_white_space(
    place: Place, demo_space: EmbeddingSpace
):
    """Those, too, that are so rare that no title is searched for them: here, all of them."""
    typed = [f" {normalize('NFD', tag)}\n" for tag in demo_space.tags]
    with place.open() as store:
        ingest(replace(demo_space, title=TitleTokenizer(b"", (), {})), store)
        retriever = Retriever(store)
        for field in ("tags", "not_tags"):
            queries = [PlaylistQuery.model_validate({field: (tag,)}) for tag in typed]
            found = retriever.rank_many(queries, limit=1, tag_limit=1)
            assert [ranking.unknown.tags for ranking in found] == [()] * len(typed)


def test_a_tag_that_is_held_as_it_is_given_is_no_other(retriever: Retriever):
    """Two tags of the catalogue differ by their spaces alone: each is its own seed."""
    spaced, compact = (
        retriever.recommend(PlaylistQuery(tags=(tag,)), tag_limit=50)
        for tag in ("비 오는 날", "비오는날")
    )
    assert "비오는날" in [tag.tag for tag in spaced.tags]
    assert "비 오는 날" in [tag.tag for tag in compact.tags]
    disliked = retriever.recommend(PlaylistQuery(not_tags=("비오는날",)), tag_limit=50)
    assert "비오는날" not in [tag.tag for tag in disliked.tags]


DECORATIONS = ["{}🔥", "🔥{}", "★{}★", "{}👩🏽‍💻", "{} 1️⃣", "{}🇰🇷™️", "\u200b{}\ufeff"]


@pytest.mark.parametrize("field", ["title", "tags"])
def test_symbols_beside_a_tag_change_nothing(
    retriever: Retriever, demo_space: EmbeddingSpace, field: str
):
    """Where the store does not know them; each beside some of the tags titles are searched for."""

    def ask(text: str) -> PlaylistQuery:
        return PlaylistQuery(title=text) if field == "title" else PlaylistQuery(tags=(text,))

    counts = demo_space.tag_table["popularity"].to_pylist()
    tags = [tag for tag, count in zip(demo_space.tags, counts, strict=True) if count >= 5]
    assert len(tags) > 30
    plain = retriever.rank_many([ask(tag) for tag in tags], limit=5, tag_limit=5)
    for number, decoration in enumerate(DECORATIONS):
        some = slice(number % 3, None, 3)
        queries = [ask(decoration.format(tag)) for tag in tags[some]]
        assert retriever.rank_many(queries, limit=5, tag_limit=5) == plain[some]


@pytest.mark.parametrize("disliked", ["rainy day", "RAINYDAY", " rainy day"])
def test_a_tag_is_not_wanted_and_disliked_in_two_spellings(retriever: Retriever, disliked: str):
    with pytest.raises(InputError, match="tag 'rainy day' is wanted and disliked at once"):
        retriever.recommend(PlaylistQuery(tags=("Rainy Day",), not_tags=(disliked,)))


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        (PlaylistQuery(songs=(1,)), QueryKind.SONGS),
        (PlaylistQuery(songs=(1,), tags=("rain",)), QueryKind.SONGS_AND_TEXT),
        (PlaylistQuery(songs=(1,), title="winter songs"), QueryKind.SONGS_AND_TEXT),
        (PlaylistQuery(songs=(1,), title="morning"), QueryKind.SONGS),
        (PlaylistQuery(songs=(1,), tags=("no such tag",)), QueryKind.SONGS),
        (PlaylistQuery(tags=("rain",), title="winter"), QueryKind.TAGS),
        (PlaylistQuery(title="winter"), QueryKind.TITLE),
        (PlaylistQuery(tags=("no such tag",), title="winter"), QueryKind.TITLE),
        (PlaylistQuery(songs=(99_999,), title="zzzzq"), None),
    ],
    ids=str,
)
def test_a_query_is_of_a_kind_by_what_is_known_of_it(
    retriever: Retriever, query: PlaylistQuery, kind: QueryKind | None
):
    [seeds] = retriever._source.open.seeds([query])
    assert (seeds.kind if seeds else None) == kind


def test_a_weight_moves_the_answer(retriever: Retriever):
    def tags(**weights: float) -> list[str]:
        query = PlaylistQuery(
            tags=("winter",), title="summer", weights=ModalityWeights.model_validate(weights)
        )
        return [tag.tag for tag in retriever.recommend(query, strategy="mean").tags]

    only_tags = retriever.recommend(PlaylistQuery(tags=("winter",)), strategy="mean")
    assert tags(title=0) == [tag.tag for tag in only_tags.tags]
    assert tags(title=0.1) != tags(tags=0.1)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_weight_of_zero_is_as_if_nothing_were_given(retriever: Retriever, strategy: str):
    """The words of a tag are sought among the playlists' words: with the tags' weight."""

    def found(query: PlaylistQuery) -> tuple[list[int], list[str]]:
        answer = retriever.recommend(query, strategy=strategy)
        return [song.id for song in answer.songs], [tag.tag for tag in answer.tags]

    both = PlaylistQuery(tags=("winter",), title="summer")
    untitled = both.model_copy(update={"weights": ModalityWeights(title=0)})
    assert found(untitled) == found(PlaylistQuery(tags=("winter",)))
    nothing = PlaylistQuery(tags=("winter",), weights=ModalityWeights(tags=0))
    assert retriever.recommend(nothing, strategy=strategy).fallback == "popularity"


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(
    ("weights", "factor"),
    [((1, 0.5, 0.25), 1e-50), ((1, 0.5, 0.25), 1000), ((1, 0, 0.1), 5e-300), ((0, 0, 0), 1)],
    ids=str,
)
def test_only_the_ratios_of_the_weights_count(
    retriever: Retriever, strategy: str, weights: tuple[float, ...], factor: float
):
    """However small or large they are, no engine has to take them as they are given."""

    def found(*weights: float) -> Recommendation:
        own = dict(zip(("songs", "tags", "title"), weights, strict=True))
        query = PlaylistQuery(
            songs=(3, 5), tags=("winter",), title="summer", weights=ModalityWeights(**own)
        )
        return retriever.recommend(query, strategy=strategy)

    whole, scaled = found(*weights), found(*(weight * factor for weight in weights))
    assert scaled.fallback == whole.fallback == (None if any(weights) else "popularity")
    for one, other in ((whole.songs, scaled.songs), (whole.tags, scaled.tags)):
        assert [x.score for x in other] == pytest.approx([x.score for x in one], rel=1e-4)


def test_a_tiny_weight_of_what_alone_is_given_is_as_good_as_any(retriever: Retriever):
    query = PlaylistQuery(tags=("rain",), weights=ModalityWeights(tags=2.0**-900))
    assert retriever.recommend(query) == retriever.recommend(PlaylistQuery(tags=("rain",)))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_weight_of_what_is_not_given_changes_nothing(retriever: Retriever, strategy: str):
    tags, title = PlaylistQuery(tags=("rainy day",)), PlaylistQuery(title="rainy day")
    for query, weights in (
        (tags, ModalityWeights(title=0, songs=5)),
        (title, ModalityWeights(tags=0, songs=5)),
    ):
        weighted = query.model_copy(update={"weights": weights})
        assert retriever.recommend(weighted, strategy=strategy) == retriever.recommend(
            query, strategy=strategy
        )


def test_an_unknown_strategy_is_refused_with_the_known_ones(retriever: Retriever):
    with pytest.raises(UnknownStrategy, match="no strategy 'best'") as refusal:
        retriever.recommend(PlaylistQuery(), strategy="best")
    assert "mean" in str(refusal.value.hint)


@pytest.mark.parametrize(("songs", "tags"), [(0, 0), (-1, 5), (5, -1)])
def test_an_answer_has_a_size(retriever: Retriever, songs: int, tags: int):
    with pytest.raises(InputError, match="cannot be recommended"):
        retriever.recommend(PlaylistQuery(), limit=songs, tag_limit=tags)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_every_query_of_a_batch_has_its_constraints(retriever: Retriever, count: int):
    """An empty list of constraints beside two queries is a mistake, not leave to ignore them."""
    with pytest.raises(InputError, match="2 queries"):
        retriever.recommend_many([PlaylistQuery()] * 2, [None] * count)


def test_a_batch_of_none_has_no_answers(retriever: Retriever):
    assert retriever.recommend_many([]) == []


def names(catalogue: Catalogue) -> dict[str, list[int]]:
    by_key: dict[str, list[int]] = {}
    for song in catalogue.songs.values():
        if song.name:
            by_key.setdefault(name_key(song.name), []).append(song.id)
    return by_key


def test_a_song_is_known_by_its_name(retriever: Retriever, catalogue: Catalogue):
    key, [song] = next(item for item in names(catalogue).items() if len(item[1]) == 1)
    assert retriever.song_id(key.upper()) == song
    assert retriever.song_id(f"  {key} ") == song
    assert retriever.song_id(str(song)) == song


def test_an_ambiguous_name_lists_the_candidates(retriever: Retriever, catalogue: Catalogue):
    key, songs = max(names(catalogue).items(), key=lambda item: len(item[1]))
    assert len(songs) > 1
    with pytest.raises(AmbiguousSong, match=f"{len(songs)} songs are named") as refusal:
        retriever.song_id(key)
    hint = str(refusal.value.hint)
    for song in songs:
        assert f" {song}  {catalogue.songs[song].name} · {catalogue.songs[song].artists[0]}" in hint
    listed = [int(line.split()[0]) for line in hint.splitlines()[1:]]
    assert listed == sorted(songs, key=lambda song: (-catalogue.popularity[song], song))


def test_a_song_whose_name_is_a_number_is_known_by_it(place: Place, demo_space: EmbeddingSpace):
    """Unless a song has the number for its id: an id can be written in no other way."""
    names = demo_space.songs["name"].to_pylist()
    names[10], names[11], names[12] = "1999", "7", "88888888888"
    at = demo_space.songs.column_names.index("name")
    songs = demo_space.songs.set_column(at, "name", pa.array(names))
    with place.open() as store:
        ingest(replace(demo_space, songs=songs), store)
        retriever = Retriever(store)
        assert retriever.song_id("1999") == retriever.song_id(" 1999") == 10
        assert retriever.song_id("88888888888") == 12
        assert retriever.song_id("7") == 7
        assert retriever.song_id("1998") == 1998  # for the query to report


@pytest.mark.parametrize("text", ["", " ", "no such name", "9999999999", "9" * 40, "-5", "1.5"])
def test_what_names_no_song_is_an_error(retriever: Retriever, text: str):
    with pytest.raises(UnknownSong):
        retriever.song_id(text)


def test_a_playlist_of_the_store_is_continued(retriever: Retriever, demo_space: EmbeddingSpace):
    rows = demo_space.playlists.select(["id", "songs", "tags", "title"]).to_pylist()
    row = next(row for row in rows if row["songs"] and row["tags"] and row["title"])
    query = retriever.playlist(row["id"])
    assert query == PlaylistQuery(
        songs=row["songs"], tags=row["tags"], title=row["title"], playlist=row["id"]
    )
    found = retriever.recommend(query, limit=100, tag_limit=10)
    assert not found.fallback
    assert not {song.id for song in found.songs} & set(row["songs"])
    assert not {tag.tag for tag in found.tags} & set(row["tags"])


def test_a_playlist_without_a_title_has_none(retriever: Retriever, demo_space: EmbeddingSpace):
    rows = demo_space.playlists.select(["id", "title"]).to_pylist()
    assert retriever.playlist(next(r["id"] for r in rows if not r["title"])).title is None


def test_a_playlist_that_is_not_held_is_an_error(retriever: Retriever):
    with pytest.raises(UnknownItem, match="does not hold playlist 2147483647"):
        retriever.playlist(2**31 - 1)
    with pytest.raises(InputError):
        retriever.playlist(-1)

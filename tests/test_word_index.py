"""A part of a name is found by what people write of it, and by nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from melon.word_index import (
    KEY_LETTERS,
    WORD_LETTERS,
    asked_words,
    finds,
    indexed_words,
    key_parts,
    key_words,
)


def is_found(text: str, name: str) -> bool:
    return finds(asked_words(text), indexed_words(name))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("lulo", "Lulo Café"),
        ("cafe lu", "Lulo Café"),
        ("CAFÉ", "lulo cafe"),
        ("ｌｕｌｏ", "Lulo"),
        ("istanbul", "İSTANBUL"),
        ("strasse", "Straße"),
        ("캐롤", "봄캐롤 모음"),
        ("봄", "봄캐롤"),
        ("모음", "봄캐롤모음"),
        ("비오는날", "비 오는 날"),
        ("비 오는 날", "비오는날의 수채화"),
        ("타워", "東京 타워 2019"),
        ("京タ", "東京タワー"),
        ("2019", "여름2019"),
        ("bts", "노래bts모음"),
        ("운동", "★운동★"),
        ("★운동★", "운동"),
        ("workout", "workout💪"),
        ("💪", "workout💪"),
        (":)", ":)"),
        ("dont", "Don't Stop"),
        ("don't st", "Dont Stop"),
        ("don’t", "don't"),
        ("internationalisation", "Internationalisation Day"),
        ("international", "Internationalisation"),
        ("ทพ", "กรุงเทพ"),
        ("'", "'"),
        ("한", "\u1112\u1161\u11ab국"),
    ],
)
def test_is_found(text: str, name: str):
    assert is_found(text, name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ulo", "Lulo"),  # part of an alphabet's word, but not its beginning
        ("lulo cafe bar", "Lulo Café"),
        ("internationals", "Internationalisation"),
        ("u2", "rock & roll"),
        ("u1", "workout💪"),
        (":)", "happy :)"),  # signs of text count where there is nothing else
        ("💪", "🔥"),
        ("캐롤 겨울", "봄캐롤"),
        ("날비", "비 오는 날"),
        ("", "anything"),
        (" \u200b", "anything"),
    ],
)
def test_is_not_found(text: str, name: str):
    assert not is_found(text, name)


@given(name=st.text(min_size=1))
def test_whatever_has_a_name_is_found_by_it(name: str):
    """And the index cuts none of its words off."""
    assert bool(indexed_words(name)) == bool(asked_words(name))
    if indexed_words(name):
        assert is_found(name, name)
        assert max(map(len, indexed_words(name).split())) <= WORD_LETTERS


@given(name=st.text("비오는날東タ", min_size=1), data=st.data())
def test_any_part_of_what_is_written_together_is_found(name: str, data: st.DataObject):
    start = data.draw(st.integers(0, len(name) - 1))
    stop = data.draw(st.integers(start + 1, len(name)))
    assert is_found(name[start:stop], name)


def test_a_key_is_found_by_how_its_parts_begin():
    key = "spotify:track:15DwXYZabc"
    for part in (key, "15Dw", "15DWXYZ", "track:15Dw", "spotify"):
        assert finds(key_words(part), key_words(key))
    for part in ("DwXY", "15Dx", "album"):
        assert not finds(key_words(part), key_words(key))
    assert max(map(len, key_words(key).split())) == KEY_LETTERS
    assert key_parts("USRC-17:60/é") == ["usrc", "17", "60", "e"]
    assert key_words("—") == ""

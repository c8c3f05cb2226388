"""Which names are of one song, in Korean and English, and which never are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from melon.retrieval.same_song import version_key

ARTISTS = ("아이유",)

VERSIONS = (
    "(Live)", "[Live Ver.]", "(Live in Seoul)", "(2011 Live)", "- Live 1969", "(Live, 2011)",
    "- Live at Wembley", "(라이브)", "(콘서트 라이브)", "- Remastered 2011",
    "- 2011 Remaster", "(2009 Digital Remaster)",
    "(리마스터)", "(Inst.)", "Inst.", "(Instrumental)", "(MR)", "(반주)", "(Acoustic Ver.)",
    "(어쿠스틱 버젼)", "(feat. Zico)", "feat. Zico", "(Ft. Zico, Crush)", "(With. Zico)",
    "(With 박효신)", "(피처링 지코)", "(Prod. by Zico)", "- Radio Edit", "(Single Version)",
    "(Japanese Ver.)", "(영어 버전)", "(Ver. 2)", "(Demo)", "(Original Mix)", "(Bonus Track)",
    "(타이틀곡)", "(Taylor's Version)", "（Live）",
    "(Duet. Zico)", "- Duet: Zico", "(Duet with Zico)", "(Duet by Zico)", "(Duet Ver.)", "(Duet)",
    "(듀엣 지코)", "(듀엣. 지코)", "(듀엣곡)", "(w/ Zico)", "- feat. Zico", "; feat. Zico",
    "(feat. No Name)", "(Band Live)", "(Band Ver.)", "(밴드 라이브)", "(밴드 버전)",
    "(어쿠스틱 라이브)", "(Live Acoustic)", "- MTV Unplugged, 2012", "- Ao Vivo", "(En Vivo)",
    "- Recorded at Spotify Studios NYC / 2017", "- Spotify Singles", "/ Remastered 2009",
    "/ 2009 리마스터", "| Live", ": 2011 Remaster", ": 라이브", "; 2011 Remaster", "; Live",
    "- Acoustic / Live At Abbey Road, 2005", "- Single Version / Mono", "- Jamaican Version / 2023",
    "- Remasterizado 2007", "- Re-Recorded", "(Rerecorded)", "(재녹음)", "(Stripped)",
    "- Acústico", "- Original", "- Main", "(Dirty)", "- Album Version (Edited)", "[Mixed]",
    "- 2011 Mix", "- New Stereo Mix", "- Mono Mix", "- Original Mix Edit", "- Radio",
    "- Home Demo", "- No Rap Version",
    '(From "Frozen 2")', '- From “Top Gun” Original Soundtrack', "[From 'Batman Forever']",
    '- From"Euphoria" An HBO Original Series', "(from the Motion Picture Selma)",
    '- Love Theme from "Titanic"', "(Original Motion Picture Soundtrack)", "/ Soundtrack",
    ": From The Book of Saw Soundtrack", '(Taken From The Film "Bonus Track")',
)  # fmt: skip
OWN_SONGS = (
    "(Remix)", "(David Guetta Remix)", "(리믹스)", "(Remix Ver.)", "(Part 1)", "(Part 2)",
    "Pt. 2", "(Pt. 2 Ver.)", "(1부)", "(2부)", "(Interlude)", "(Reprise)", "(Medley)",
    "(With You)", "(From Frozen)", "(Run from Love's Light)", "(How We Live)", "Forever", "II", "2",
    "(Cover)",
    "- Club Mix", "- Kia Love Mix Edit", "/ Forever", "/ Always - Live", ": Forever", ": With Zico",
    "feat. Zico - Remix of May", "feat. Zico (Remix of June)", "(Duet Remix)", "- Duet from Act 2",
    "(No. 2 Ver.)", "/ Remix of July", ": Part 3", "- Part 4 / Live",
)  # fmt: skip

words = st.text(st.sampled_from("abcxyz가나비날"), min_size=2, max_size=6)
names = st.lists(words, min_size=1, max_size=3).map(" ".join)


@given(names, st.lists(st.sampled_from(VERSIONS), max_size=2))
def test_versions_of_a_song_have_one_key(name: str, said: list[str]):
    assert version_key(" ".join([name, *said]), ARTISTS) == version_key(name, ARTISTS)


@given(names, st.lists(st.sampled_from(OWN_SONGS), min_size=2, max_size=2, unique=True))
def test_other_songs_have_keys_of_their_own(name: str, said: list[str]):
    keys = [version_key(f"{name} {mark}".strip(), ARTISTS) for mark in ("", *said)]
    assert len(set(keys)) == 3


@given(st.text(max_size=30), st.text(min_size=1, max_size=5))
def test_any_name_has_a_key_that_a_version_of_it_has_too(name: str, artist: str):
    key = version_key(name, (artist,))
    if key is not None and name.strip() and key[0]:  # type: ignore[index]
        assert version_key(f"{name} (Live)", (artist,)) == key


@pytest.mark.parametrize(
    "name", ["Live", "(Live)", "Instrumental", "Remastered 2011", "Part 1", "라이브", "feat. Zico"]
)
def test_what_names_a_version_may_be_a_whole_name(name: str):
    key = version_key(name, ARTISTS)
    assert key is not None
    assert key != version_key("", ARTISTS)
    others = {"Live", "Instrumental", "Remastered 2011", "Part 1", "Part 2", "라이브"} - {name}
    assert key not in {version_key(other, ARTISTS) for other in others if other not in name}


def test_artists_tell_songs_apart_but_guests_do_not():
    song = version_key("Palette", ("아이유",))
    assert version_key("Palette (Feat. Zico)", ("Zico", "아이유")) == song
    assert version_key("PALETTE (feat. Zico & Crush)", ("아이유", "Crush", "zico")) == song
    assert version_key("Palette", ("아이유", "Zico")) != song
    assert version_key("Palette", ("Zico",)) != song
    assert version_key("(Feat. Zico)", ("Zico",)) is not None


@pytest.mark.parametrize(
    ("name", "artists"),
    [
        (None, ARTISTS),
        ("Palette", ()),
        ("Intro", ARTISTS),
        ("인트로 2", ARTISTS),
        ('Love Theme (From "Rocky")', ARTISTS),
        ('Main Title - From "Rocky" Soundtrack', ARTISTS),
        ("Skit", ARTISTS),
    ],
)
def test_what_is_not_known_to_be_one_song_is_not_taken_for_one(
    name: str | None, artists: tuple[str, ...]
):
    assert version_key(name, artists) is None

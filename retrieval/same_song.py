"""Which songs are versions of one: by the same artists, and called alike but for "(Live)"."""

from __future__ import annotations

import re
from collections.abc import Hashable
from functools import lru_cache

from melon.text import name_key

MAX_KEYS = 100_000
"""Songs whose key is remembered at most, some 40 MB."""

_LAST_BRACKET = re.compile(r"(.*\S)\s*[(\[【〈《「『<]([^()\[\]]*)[)\]】〉》」』>]$")
_LAST_DASH = re.compile(r"(.*\S)\s+[-–—~]\s+(.+)$")
_BARE_GUESTS = re.compile(r"(.*\S)\s(?:feat|ft|featuring)(?:\.\s*|\s+)(.+)$")
_BARE_INSTRUMENTAL = re.compile(r"(.*\S)\s(inst\.)$")

_GUESTS = re.compile(
    r"(?:feat|ft|featuring|prod|produced by|duet with|피처링|피쳐링|듀엣)\b[.:]?\s*(.*)"
    r"|with\b(?!\s(?:me|you|u|us|him|her|them|it|my|your|our|the|a|an|love|or|out)\b)[.:]?\s*(.+)"
)
_VERSION = re.compile(
    r"(?:(?:19|20)\d\d |'\d\d )?(?:live|라이브|실황|unplugged|언플러그드)"
    r"(?: (?:at|in|on|from|for|with|session|sessions|ver|version|버전|버젼|recording)\b.*| @.*"
    r"|,? (?:19|20)\d\d)?"
    r"|.*\b(?:concert|콘서트|studio|acoustic|unplugged) (?:live|라이브)"
    r"|.*(?:\bre-?master(?:ed)?\b|리마스터).*"
    r"|.*(?:\b(?:ver|version)\.?(?: ?\d)?|버전|버젼)"
    r"|(?:inst|instrumental|instrumental mix|mr|karaoke|반주|연주곡|노래방|연주)\.?"
    r"|(?:acoustic|어쿠스틱|a cappella|acapella|아카펠라|demo|데모|mono|stereo|explicit|clean)"
    r"|(?:.* )?(?:edit|session)|(?:original|extended|album|single|radio|instrumental) mix|extended"
    r"|sped up|speed up|slowed|slowed (?:\+|and|&) reverb|bonus|bonus track|보너스|보너스 트랙"
    r"|title|타이틀|타이틀곡|19세 ?(?:이상)?"
)
_OWN_SONG = re.compile(r"re-?mix|리믹스|mash-?up|medley|메들리|\b(?:part|pt|vol|no)\b|파트|\d부")
"""What makes another song of one, though it were called a version."""

_NAMES_IN = re.compile(r"\s*(?:,|&|/|\+|\band\b|\bx\b)\s*")
_OF_MANY_SONGS = re.compile(
    r"(?:intro|outro|interlude|skit|prelude|prologue|epilogue|overture|opening|ending|untitled"
    r"|theme|main theme|reprise|인트로|아웃트로|인터루드|스킷|프롤로그|에필로그|오프닝|엔딩|무제"
    r"|track|트랙)(?: ?\d+)?"
)

_OF_MANY_ARTISTS = {"various artists", "various", "v.a.", "va"}


@lru_cache(MAX_KEYS)
def version_key(name: str | None, artists: tuple[str, ...]) -> Hashable | None:
    """What all versions of a song have in common: its bare name, and its artists but for guests.

    None where no other song is known to be the same: it has no name or no artists, or a name like
    "Intro" that an artist gives many songs.

    Versions differ by what stands in brackets or after a dash at the end of a name: live,
    remastered, instrumental, acoustic, guests ("feat."), edits, other languages' and other
    "versions". Remixes, medleys and parts are songs of their own.
    """
    if name is None or not artists:
        return None
    bare, guests = _bare(name_key(name).replace("’", "'"))
    named = {name_key(artist) for artist in artists}
    if _OF_MANY_SONGS.fullmatch(bare) or named <= _OF_MANY_ARTISTS:
        return None
    return bare.replace(" ", ""), frozenset(named - guests or named)


def _bare(name: str) -> tuple[str, set[str]]:
    """A name without what only names its version, and the guests that this names."""
    guests: set[str] = set()
    while (found := _shorter(name)) is not None:
        name, named = found
        guests.update(named)
    return name, guests


def _shorter(name: str) -> tuple[str, list[str]] | None:
    """The name without the last thing that names a version; None where nothing does."""
    if match := _BARE_GUESTS.fullmatch(name):
        return match[1], _NAMES_IN.split(match[2])
    if match := _BARE_INSTRUMENTAL.fullmatch(name):
        return match[1], []
    for pattern in (_LAST_BRACKET, _LAST_DASH):
        if match := pattern.fullmatch(name):
            said = match[2].strip()
            if guests := _GUESTS.fullmatch(said):
                return match[1], _NAMES_IN.split(guests[1] or guests[2] or "")
            if _VERSION.fullmatch(said) and not _OWN_SONG.search(said):
                return match[1], []
    return None

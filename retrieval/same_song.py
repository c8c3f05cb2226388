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
_LAST_SLASH = re.compile(r"(.*\S)(?:\s+[/|]|\s*[:;])\s+(.+)$")
_BARE_GUESTS = re.compile(
    r"(.*[^\s;])(?:\s?;)?\s(?:feat|ft|featuring)(?:\.\s*|\s+)((?:(?!\s[-–—~]\s)[^()\[\]])+)$"
)
_BARE_INSTRUMENTAL = re.compile(r"(.*\S)\s(inst\.)$")

_GUESTS = re.compile(
    r"(?:feat|ft|featuring|prod|produced by|duet(?: with| by|(?=[.:]|$))|피처링|피쳐링"
    r"|듀엣곡?)\b[.:]?\s*(.*)"
    r"|(?:with\b(?!\s(?:me|you|u|us|him|her|them|it|my|your|our|the|a|an|love|or|out)\b)|w/)"
    r"[.:]?\s*(.+)"
)
_VERSION = re.compile(
    r"(?:(?:19|20)\d\d |'\d\d )?"
    r"(?:live|라이브|실황|(?:mtv )?unplugged|언플러그드|ao vivo|en vivo|en directo)"
    r"(?: (?:at|in|on|from|for|with|session|sessions|ver|version|버전|버젼|recording|acoustic)\b.*"
    r"| @.*| (?:19|20)\d\d)?"
    r"|.*(?:\b(?:concert|studio|acoustic|unplugged|band)|콘서트|스튜디오|어쿠스틱|밴드)"
    r" (?:live|라이브)"
    r"|recorded (?:live )?at .*|spotify (?:singles|sessions)|re-?record(?:ed|ing)|재녹음"
    r"|.*(?:\bre-?master|리마스터).*"
    r"|.*(?:\b(?:ver|version)\.?(?: ?\d)?|버전|버젼)"
    r"|(?:inst|instrumental|instrumental mix|mr|karaoke|반주|연주곡|노래방|연주)\.?"
    r"|(?:acoustic|어쿠스틱|ac[uú]stic[oa]|stripped|a cappella|acapella|아카펠라|(?:.* )?demo|데모)"
    r"|original|main|explicit|clean|dirty|edited|mixed|mix cut"
    r"|(?:(?:19|20)\d\d |new )?(?:mono|stereo)(?: mix)?|(?:19|20)\d\d mix"
    r"|(?!.*\b(?:mix|dub)\b)(?:.* )?edit|(?:.* )?session"
    r"|(?:original|extended|album|single|radio|instrumental) mix(?: edit)?"
    r"|(?:original )?extended|radio(?: cut)?"
    r"|sped up|speed up|slowed|slowed (?:\+|and|&) reverb|bonus|bonus track|보너스|보너스 트랙"
    r"|title|타이틀|타이틀곡|19세 ?(?:이상)?"
    r"|(?>.*?\bfrom\b)(?:(?:.*\s)?[\"“”'‘«`].+"
    r"|.*\b(?:motion picture|film|movie|series|musical)\b.*)|.*\bsoundtrack\b.*"
)
_LAST_YEAR = re.compile(r"\s*[,/]\s*(?:19|20)\d\d$")
_OWN_SONG = re.compile(
    r"re-?mix|리믹스|mash-?up|medley|메들리|\b(?:part|pt|vol|no\.? ?\d+)\b|파트|\d부"
)
"""What makes another song of one, though it were called a version."""

_NAMES_IN = re.compile(r"\s*(?:,|&|/|\+|\band\b|\bx\b)\s*")
_OF_MANY_SONGS = re.compile(
    r"(?:intro|outro|interlude|skit|prelude|prologue|epilogue|overture|opening|ending|untitled"
    r"|(?:main |love )?theme|(?:main |end )titles?|end credits|title (?:track|song)|suite|reprise"
    r"|인트로|아웃트로|인터루드|스킷|프롤로그|에필로그|오프닝|엔딩|무제"
    r"|track|트랙)(?: ?\d+)?"
)

_OF_MANY_ARTISTS = {"various artists", "various", "v.a.", "va"}


@lru_cache(MAX_KEYS)
def version_key(name: str | None, artists: tuple[str, ...]) -> Hashable | None:
    """What all versions of a song have in common: its bare name, and its artists but for guests.

    None where no other song is known to be the same: it has no name or no artists, or a name like
    "Intro" that an artist gives many songs.

    Versions differ by what stands in brackets or after a dash, slash or colon at the end of a name:
    live, remastered, recorded again, instrumental, acoustic, guests ("feat."), edits, other
    languages' and other "versions", and what film, series or soundtrack the song is from. Remixes,
    medleys and parts are songs of their own.
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
    if match := _BARE_INSTRUMENTAL.fullmatch(name):
        return match[1], []
    for pattern in (_LAST_BRACKET, _LAST_DASH, _LAST_SLASH, _BARE_GUESTS):
        match = pattern.fullmatch(name)
        if match is None or _OWN_SONG.search(match[2]):
            continue
        said = match[2].strip()
        if pattern is _BARE_GUESTS:
            return match[1], _NAMES_IN.split(said)
        if pattern is not _LAST_SLASH and (guests := _GUESTS.fullmatch(said)):
            return match[1], _NAMES_IN.split(guests[1] or guests[2] or "")
        if _VERSION.fullmatch(_LAST_YEAR.sub("", said)):
            return match[1], []
    return None

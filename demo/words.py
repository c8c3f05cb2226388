"""The invented world of the demo corpus: its genres and moods, and the words of its names.

Nothing here names a real artist, song or playlist.
"""

from __future__ import annotations

from dataclasses import dataclass

SHORTEST_PLAYLIST, LONGEST_PLAYLIST = 5, 200
"""How many songs a playlist has; fewer where there are few songs."""

ERAS = (1980, 1990, 2000, 2010)
"""First years of the decades in which songs are issued."""

ERA_TAGS = ("80s", "90s", "2000년대", "2010년대")

GENRES: tuple[tuple[str, tuple[str, str, str]], ...] = (
    ("Ballad", ("Piano Ballad", "Orchestral Ballad", "Duet Ballad")),
    ("Dance", ("Disco", "Teen Pop", "Bubblegum")),
    ("Hip-Hop", ("Boom Bap", "Melodic Rap", "Trap")),
    ("R&B/Soul", ("Slow Jam", "Neo Soul", "Gospel Soul")),
    ("Indie", ("Bedroom Pop", "Dream Pop", "Indie Rock")),
    ("Rock", ("Garage Rock", "Metal", "Soft Rock")),
    ("Electronic", ("House", "Techno", "Ambient")),
    ("Jazz", ("Swing", "Bossa Nova", "Jazz Vocal")),
    ("Folk", ("Acoustic", "Campfire Folk", "Country Folk")),
    ("Classical", ("Piano Solo", "String Quartet", "Symphony")),
    ("Lo-fi", ("Lo-fi Beats", "Tape Loops", "Chillhop")),
    ("City Pop", ("Seaside Pop", "Night Drive Pop", "Soft Funk")),
)
"""Genres, each with its detail genres, the commonest first."""

GENRE_NAMES = tuple(name for name, _ in GENRES)


@dataclass(frozen=True, slots=True)
class Mood:
    """One theme of playlists, which a model should find again.

    `genres` are indices into `GENRES`, the commonest first; `eras` into `ERAS`. `tags` are ranked
    by how often they are used. `english` and `korean` are the phrases of titles.
    """

    name: str
    genres: tuple[int, int, int]
    eras: tuple[int, ...]
    tags: tuple[str, str, str, str, str, str]
    english: tuple[str, ...]
    korean: tuple[str, ...]


def _mood(
    name: str, genres: str, eras: tuple[int, ...], tags: str, english: str, korean: str
) -> Mood:
    first, second, third = (GENRE_NAMES.index(genre) for genre in genres.split(", "))
    a, b, c, d, e, f = tags.split(", ")
    return Mood(
        name=name,
        genres=(first, second, third),
        eras=tuple(ERAS.index(era) for era in eras),
        tags=(a, b, c, d, e, f),
        english=tuple(english.split(", ")),
        korean=tuple(korean.split(", ")),
    )


MOODS = (
    _mood(
        "rainy day", "Ballad, Jazz, Lo-fi", (2000, 2010),
        "rainy day, 비 오는 날, 비오는날, rain, 빗소리, 우산",
        "rainy day, rainy evening, rain on the roof", "비 오는 날, 비 오는 오후, 창밖의 빗소리",
    ),
    _mood(
        "workout", "Electronic, Hip-Hop, Rock", (2010,),
        "운동, workout, 헬스, gym, running, 달리기",
        "workout, morning run, leg day", "운동, 운동할 때, 달리기 좋은 날",
    ),
    _mood(
        "dawn", "R&B/Soul, Lo-fi, Indie", (2010,),
        "새벽, dawn, 새벽감성, insomnia, 불면, late night",
        "dawn, sleepless dawn, 4 am", "새벽, 잠 못 드는 새벽, 새벽 네 시",
    ),
    _mood(
        "party", "Dance, Electronic, Hip-Hop", (2000, 2010),
        "party, 파티, 신나는, club, 클럽, dance floor",
        "party, house party, friday night", "파티, 신나는 파티, 불타는 금요일",
    ),
    _mood(
        "study", "Classical, Lo-fi, Jazz", (1990, 2010),
        "공부, study, 집중, focus, 독서, reading",
        "study, exam week, deep focus", "공부, 시험 기간, 도서관",
    ),
    _mood(
        "drive", "City Pop, Rock, Electronic", (1990, 2010),
        "드라이브, drive, road trip, 여행, highway, 고속도로",
        "drive, road trip, coast highway", "드라이브, 밤 드라이브, 떠나는 여행",
    ),
    _mood(
        "heartbreak", "Ballad, R&B/Soul, Folk", (1990, 2000),
        "이별, heartbreak, 슬픔, breakup, 눈물, tears",
        "heartbreak, breakup, after goodbye", "이별, 헤어진 다음 날, 눈물 나는 밤",
    ),
    _mood(
        "summer", "Dance, City Pop, Indie", (2000, 2010),
        "summer, 여름, 바다, beach, 휴가, holiday",
        "summer, beach day, endless summer", "여름, 여름 바다, 휴가 가는 길",
    ),
    _mood(
        "winter", "Ballad, Classical, Folk", (1980, 2000),
        "겨울, winter, 눈, snow, 벽난로, fireplace",
        "winter, first snow, by the fireplace", "겨울, 첫눈 오는 날, 겨울밤",
    ),
    _mood(
        "cafe", "Jazz, Indie, Folk", (2000, 2010),
        "카페, cafe, coffee, 커피, brunch, 매장음악",
        "cafe, sunday coffee, corner cafe", "카페, 카페에서, 커피 한 잔",
    ),
    _mood(
        "sleep", "Classical, Electronic, Lo-fi", (1980, 2010),
        "sleep, 수면, 잔잔한, calm, lullaby, 자장가",
        "sleep, bedtime, falling asleep", "잠들기 전, 수면, 포근한 밤",
    ),
    _mood(
        "love", "R&B/Soul, Ballad, Indie", (2000, 2010),
        "사랑, love, 설렘, first date, 고백, wedding",
        "love, first date, falling in love", "사랑, 설레는 날, 고백하는 날",
    ),
    _mood(
        "nostalgia", "Folk, City Pop, Rock", (1980, 1990),
        "추억, nostalgia, oldies, 회상, memories, 옛노래",
        "nostalgia, school days, old tapes", "추억, 학창 시절, 그때 그 노래",
    ),
    _mood(
        "festival", "Rock, Hip-Hop, Dance", (1990, 2000),
        "festival, 록페스티벌, headbang, 스트레스, mosh pit, 질주",
        "festival, front row, main stage", "페스티벌, 록 페스티벌, 스트레스 풀리는 날",
    ),
)  # fmt: skip

ENGLISH_TITLES = (
    "{phrase}",
    "{phrase} playlist",
    "my {phrase} mix",
    "{phrase} {genre}",
    "{feel} {phrase}",
    "{genre} for {phrase}",
    "{phrase} songs, {era}",
)
KOREAN_TITLES = (
    "{phrase}",
    "{phrase} 듣기 좋은 노래",
    "{phrase} 플레이리스트",
    "{phrase} {genre}",
    "{feel} {phrase}",
    "{phrase}, 나만 알고 싶은 음악",
    "{era} {phrase}",
)
ENGLISH_FEELS = ("quiet", "perfect", "slow", "golden", "lonely", "lucky", "endless", "soft")
KOREAN_FEELS = ("조용한", "완벽한", "나른한", "눈부신", "쓸쓸한", "기분 좋은", "끝없는", "포근한")

ENGLISH_TAG_MODIFIERS = (
    "mix", "vibes", "songs", "favourites", "hidden gems", "mood", "session", "picks", "radio",
    "diary", "anthem", "essentials", "company", "soundtrack", "starter", "archive", "weekend",
    "evening", "morning", "alone", "together", "forever", "therapy", "collection", "chapter",
    "corner", "hour", "journal", "energy", "repeat",
)  # fmt: skip
KOREAN_TAG_MODIFIERS = (
    "노래", "추천", "감성", "모음", "명곡", "음악", "선곡", "일기", "기분", "분위기", "시간",
    "주말", "저녁", "아침", "혼자", "함께", "영원히", "힐링", "이야기", "구석", "기록",
    "에너지", "반복", "라디오", "산책", "친구", "편지", "여운", "취향", "보관함",
)  # fmt: skip

ENGLISH_ADJECTIVES = (
    "Amber", "Borrowed", "Careless", "Distant", "Electric", "Folded", "Gentle", "Hollow",
    "Indigo", "Jagged", "Kindred", "Lantern", "Marble", "Northern", "Opal", "Paper", "Quiet",
    "Restless", "Silver", "Tangled", "Unsent", "Velvet", "Wandering", "Yellow", "Zigzag",
    "Bright", "Clockwork", "Drifting", "Early", "Feather",
)  # fmt: skip
KOREAN_ADJECTIVES = (
    "푸른", "느린", "작은", "먼", "고요한", "투명한", "어린", "낡은", "환한", "젖은", "둥근",
    "깊은", "얇은", "하얀", "붉은", "서툰", "다정한", "오래된", "비밀의", "마지막", "첫",
    "숨은", "흐린", "반짝이는", "부서진", "접힌", "잊은", "빛나는", "가벼운", "낯선",
)  # fmt: skip
# What invented words are made of. Any three of either list make a word that means nothing.
ENGLISH_SYLLABLES = (
    "va", "lu", "mor", "ti", "sen", "ra", "ko", "bel", "ni", "dru", "fa", "ques", "lo", "mi",
    "zan", "per", "yu", "tor", "he", "gal", "wi", "nos", "cre", "ba", "ul", "shi", "dro", "em",
    "pla", "ris",
)  # fmt: skip
KOREAN_SYLLABLES = tuple("라솔무온비누해든초람결여울마루담별새진하늬로아림찬슬벼모")


def artist_name(number: int) -> str:
    """Invent the name of an artist; no two of the first million share one."""
    half, korean = divmod(number, 2)
    if korean:
        return _spelt(KOREAN_SYLLABLES, 4, _scattered(half, len(KOREAN_SYLLABLES) ** 4))
    first, last = divmod(_scattered(half, len(ENGLISH_SYLLABLES) ** 5), len(ENGLISH_SYLLABLES) ** 2)
    return f"{_spelt(ENGLISH_SYLLABLES, 3, first)} {_spelt(ENGLISH_SYLLABLES, 2, last)}".title()


def work_name(number: int) -> str:
    """Invent the name of a song or an album; no two of the first million share one."""
    half, korean = divmod(number, 2)
    syllables = KOREAN_SYLLABLES if korean else ENGLISH_SYLLABLES
    adjectives = KOREAN_ADJECTIVES if korean else ENGLISH_ADJECTIVES
    size = len(adjectives) * len(syllables) ** 3
    word, adjective = divmod(_scattered(half, size), len(adjectives))
    return f"{adjectives[adjective]} {_spelt(syllables, 3, word).capitalize()}"


def _scattered(number: int, size: int) -> int:
    """Permute the numbers below `size`, so that consecutive ones give names that differ."""
    return (number + 1) * 2_654_435_761 % size  # a prime, so no two numbers meet


def _spelt(syllables: tuple[str, ...], length: int, number: int) -> str:
    """Write a number with syllables for digits."""
    word = ""
    for _ in range(length):
        number, digit = divmod(number, len(syllables))
        word += syllables[digit]
    return word

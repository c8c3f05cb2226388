"""Titles give the same words and tags in training and at query time, in any script."""

import subprocess
import sys
import time
from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from melon.text import clean_text, name_key, normalise
from melon.titles import DamagedTitleTokenizer, TitleTokenizer

TITLES = [
    *["비 오는 날 듣기 좋은 음악", "비 오는 새벽 감성", "여름 드라이브 음악"] * 20,
    *["rainy day jazz", "Rainy Days and Mondays", "driving at night"] * 20,
]
TAGS = {
    "비오는날": 40,
    "드라이브": 30,
    "음악": 25,
    "Jazz": 20,
    "rainy day": 15,
    "rap": 9,
    "pop": 8,
    "새벽감성": 7,
    "새벽": 7,
    "잠": 6,
    "K-POP": 5,
    "rare": 4,
}

anything = st.text(st.characters(), max_size=40)
long_texts = st.builds(
    lambda text, times: text * times, st.text(st.characters(), min_size=1, max_size=9),
    st.integers(500, 1_500),
)  # fmt: skip


@pytest.fixture(scope="module")
def tokenizer() -> TitleTokenizer:
    return TitleTokenizer.train(TITLES, TAGS, pieces=200)


@pytest.mark.parametrize(
    ("title", "tags"),
    [
        ("비 오는 날", ["비오는날"]),
        ("비오는날에 듣는 음악", ["비오는날", "음악"]),
        ("여름드라이브음악", ["드라이브", "음악"]),
        ("새벽 감성", ["새벽감성"]),
        ("새벽의 감성", ["새벽"]),
        ("잠이 오는 잠", ["잠"]),
        ("잠실", []),
        ("나비 오는 날", []),
        ("RAINYDAY ＪＡＺＺ", ["rainy day", "Jazz"]),
        ("Rainy Days", []),
        ("trap popular", []),
        ("rap, pop!", ["rap", "pop"]),
        ("k-pop", ["K-POP"]),
        ("a rare song", []),
        ("음악 음악", ["음악"]),
        ("", []),
        ("★음악★", ["음악"]),
        ("잠💤", ["잠"]),
        ("잠!", ["잠"]),
        ("\N{SLEEPING SYMBOL}잠실", []),
        ("좋은음악♥ k-pop🔥", ["음악", "K-POP"]),
        ("(rainy day)", ["rainy day"]),
        ("비🔥오는🔥날", []),
    ],
)
def test_known_tags_are_found_as_a_reader_would(tokenizer, title, tags):
    assert tokenizer.tags(title) == tags


def test_tags_that_differ_in_writing_only_are_found_by_the_most_frequent():
    tokenizer = TitleTokenizer.train([], {"Rainy Day": 6, "rainyday": 9, "RAINY DAY": 5})
    assert tokenizer.tags("on a rainy day") == ["rainyday"]


def test_words_are_learnt_from_titles_in_english_and_korean(tokenizer):
    assert {"rainy", "jazz"} <= set(tokenizer.words("Rainy JAZZ!"))
    assert "음악" in tokenizer.words("음악 (음악) 음악")
    assert tokenizer.words("... !? ~ -- ▁ ´") == []


def test_unknown_words_are_not_cut_into_letters(tokenizer):
    assert tokenizer.words("xqz (vwv) a day") == ["xqz", "vwv", "a", "day"]
    assert tokenizer.words("K-Pop 2017!") == ["k", "pop", "2017"]


@given(anything)
def test_words_hold_no_blanks_no_marks_and_no_repeats(tokenizer, title):
    words = tokenizer.words(title)
    assert len(words) == len(set(words))
    assert all(word and not any(c.isspace() or c == "▁" for c in word) for word in words)
    assert words == tokenizer.words(normalise(title))
    for word in words:
        word.encode()
    assert set(tokenizer.tags(title)) <= TAGS.keys()


PARTS_OF_EMOJI = "\u200d\ufe0f\u20e3👩👧💪🏽🏿🇺🇸㊗️①★❤#1a가:) \U000e0067\U000e007f🏴"


@given(st.text(st.characters(exclude_categories=()) | st.sampled_from(PARTS_OF_EMOJI), max_size=40))
def test_normalising_twice_changes_nothing_more(text):
    once = normalise(text)
    assert normalise(once) == once
    assert once == " ".join(once.split())
    once.encode()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("비오는날", "비오는날"),
        ("ＫＰＯＰ", "kpop"),
        (" a \t\n b ", "A B"),
        ("Straße", "STRASSE"),
        ("ｶﾗｵｹ", "カラオケ"),
        ("İSTANBUL", "istanbul"),
        ("ISPARTA ışık", "ısparta IŞIK"),
        ("Į̇ J̇", "į j"),
        ("ⓡⓐⓘⓝ", "rain"),
        ("work\u00adout\u200b", "\ufeffworkout"),
        ("❤️", "❤"),
        ("❤️‍🔥", "❤‍🔥"),
        ("👍🏽", "👍🏿"),
        ("👩🏽‍💻", "👩‍💻"),
        ("🏳️‍🌈", "🏳‍🌈"),
        ("1️⃣", "1⃣"),
        ("ℹ️ ™️", "ℹ™"),
        ("🔥🔥🔥", "🔥"),
        ("🔥 🔥", "🔥"),
        ("🔥💪🔥💪", "🔥 💪"),
        ("🇰🇷🇰🇷", "🇰🇷"),
        ("★☆★ hits", "★☆hits"),
    ],
)
def test_ways_of_writing_the_same_become_one(first, second):
    assert normalise(first) == normalise(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [("ïi", "ii"), ("🇰🇷", "🇷🇰"), ("👩‍💻", "👩💻"), ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"), ("1⃣", "1"), ("🏿", "")],
)
def test_what_only_looks_alike_stays_apart(first, second):
    assert normalise(first) != normalise(second)


INVISIBLE = [
    "\u200b", "\ufeff", "\u2060", "\u00ad", "\u200c", "\u200d", "\u200e", "\u202e", "\u2066",
    "\u034f", "\u3164", "\u1160", "\uffa0", "\u115f", "\u180e", "\u2800", "\ufe0f", "\U000e0001",
    "\U000e0041", "\U000e0100", "\u200b \ufeff\t\u3000",
]  # fmt: skip


@pytest.mark.parametrize("unseen", INVISIBLE, ids=ascii)
def test_what_cannot_be_seen_is_stripped_and_is_no_text(unseen):
    assert clean_text(unseen) is None
    assert normalise(unseen) == ""
    assert clean_text(f"{unseen}rain{unseen}{unseen} ") == "rain"
    assert clean_text(f"{unseen}비{unseen}") == "비"
    assert normalise(f"{unseen}Rain{unseen}") == name_key(f"{unseen}Rain{unseen}") == "rain"


@pytest.mark.parametrize("text", ["❤️", "☀️", "1️⃣", "👩🏽‍💻", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🏳️‍🌈", "‼️", "न्‍य"])
def test_what_changes_how_a_text_looks_stays(text):
    assert clean_text(f" {text}\u200b") == text


def test_a_name_is_known_by_every_i():
    assert name_key("İbrahim TATLISES") == name_key("ibrahim tatlıses")


SYMBOLS = [
    *["🔥", "★", "♥", "❤️", "👍🏽", "👩‍💻", "🇰🇷", "1️⃣", "#️⃣", "™"],
    *["ℹ️", "㊗️", "©", "∞", "€", "→", "🫨", "🏿", "❶"],
    "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
]


@pytest.mark.parametrize("symbol", SYMBOLS)
@pytest.mark.parametrize("word", ["운동", "workout", "k-pop", "잠", "2024"])
def test_a_symbol_is_a_word_of_its_own_and_hides_none(tokenizer, word, symbol):
    """Whether the tokenizer has met it or not; nor does it make another pair of letters."""
    met = TitleTokenizer.train([f"{word}{symbol}"] * 5, {word: 9})
    for cut in (tokenizer, met):
        plain = cut.words(word)
        for title in (f"{symbol}{word}{symbol}", f"{word}{symbol}{symbol}", f"{symbol} {word}"):
            assert [w for w in cut.words(title) if w != normalise(symbol)] == plain
            assert normalise(symbol) in cut.words(title)
            assert cut.bigrams(title) == cut.bigrams(word)
            assert cut.tags(title) == cut.tags(word)
    assert met.tags(word) == [word]


def test_what_is_enclosed_is_no_part_of_a_word_beside_it(tokenizer):
    assert tokenizer.words("workout①") == ["workout", "1"]


def test_a_tag_is_known_without_its_symbols_if_there_is_none_with_them():
    tokenizer = TitleTokenizer.train([], {"rain": 9, "Snow ★": 9, "snow": 9, "★": 9, ":)": 9})
    assert tokenizer.spellings("★RAIN🔥") == ["★RAIN🔥", "RAIN", "rain"]
    assert tokenizer.spellings("snow★★") == ["snow★★", "Snow ★", "snow"]
    assert tokenizer.spellings("snow 👍🏽 flake️") == [
        "snow 👍🏽 flake️",
        "snow 👍 flake",
        "snow flake",
    ]
    assert tokenizer.spellings("★★★") == ["★★★", "★"]
    assert tokenizer.spellings(":)") == [":)"]


def test_tags_of_punctuation_and_of_symbols_are_found_in_titles():
    tokenizer = TitleTokenizer.train([], {":)": 9, "👩‍👩‍👧": 9, "👧": 9, "1": 9, "!!": 9})
    assert tokenizer.tags("good day :)") == [":)"]
    assert tokenizer.tags("day:)!!") == [":)", "!!"]
    assert tokenizer.tags("👩‍👩‍👧:) 🎸!!") == ["👩‍👩‍👧", ":)", "!!"]
    assert tokenizer.tags("👩‍👩‍👧") == ["👩‍👩‍👧"]
    assert tokenizer.tags("1️⃣👧🏽") == ["👧"]


@settings(max_examples=25)
@given(
    st.lists(anything | long_texts, max_size=6),
    st.dictionaries(anything, st.integers(1, 9), max_size=4),
)
@example([], {"half a pair \ud83d": 9})
def test_any_small_corpus_can_be_learnt_and_stored(titles, tags):
    tokenizer = TitleTokenizer.train(titles, tags)
    again = TitleTokenizer.from_bytes(tokenizer.to_bytes())
    for text in [*titles, *tags]:
        assert again.words(text) == tokenizer.words(text)
        assert again.tags(text) == tokenizer.tags(text)


def test_training_is_deterministic(tokenizer):
    assert TitleTokenizer.train(TITLES, TAGS, pieces=200).to_bytes() == tokenizer.to_bytes()


def test_without_texts_words_are_what_stands_between_blanks():
    tokenizer = TitleTokenizer.train([], {})
    assert TitleTokenizer.from_bytes(tokenizer.to_bytes()).words("Rainy  day, !") == [
        "rainy",
        "day",
    ]


def test_damaged_blobs_are_refused(tokenizer):
    blob = tokenizer.to_bytes()
    flipped = bytearray(blob)
    flipped[len(blob) // 2] ^= 1
    earlier = blob.replace(b"melon-title-2", b"melon-title-1")
    for bad in (b"", b"other", earlier, blob[:-20], blob[:20], bytes(flipped)):
        with pytest.raises(DamagedTitleTokenizer):
            TitleTokenizer.from_bytes(bad)


def test_a_query_host_needs_no_gensim_pandas_or_pyarrow():
    code = (
        "import sys; from melon.titles import TitleTokenizer as T;"
        "T.from_bytes(T.train(['a b'] * 9, {'b': 9}).to_bytes()).words('a');"
        "print({'gensim', 'pandas', 'pyarrow', 'scipy', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def cpu_seconds(work: Callable[[], object], times: int = 1) -> float:
    """The least processor time that some work took of several turns."""
    turns = []
    for _ in range(3):
        start = time.process_time()
        for _ in range(times):
            work()
        turns.append(time.process_time() - start)
    return min(turns)


def test_a_title_is_searched_as_fast_whether_there_are_few_tags_or_many():
    """Beside one another, for no machine is as fast as another, nor always as fast as itself."""
    few, some, many = (
        TitleTokenizer.train([], {f"tag{n} {n % 97}": 1 for n in range(tags)}, tag_min_count=1)
        for tags in (300, 3_000, 30_000)
    )
    title = "songs for tag123 26 and a rainy sunday afternoon"
    assert few.tags(title) == many.tags(title) == ["tag123 26"]
    searching = [cpu_seconds(lambda own=own: own.tags(title), times=20) for own in (few, many)]
    assert searching[1] < 8 * searching[0]  # if each tag were looked at, a hundredfold

    blobs = (some.to_bytes(), many.to_bytes())
    loading = [cpu_seconds(lambda blob=blob: TitleTokenizer.from_bytes(blob)) for blob in blobs]
    assert loading[1] < 60 * loading[0]  # ten times the tags; a hundredfold if all met all others


SYLLABLES = ("가나다라마바", "사아자차카타", "파하거너더러")


@pytest.mark.parametrize("others", [[], ["여름"]], ids=["alone", "beside another"])
def test_a_title_of_any_length_is_learnt_from(others):
    words = ["".join(three) for three in product(*SYLLABLES)] * 3
    for blank in (" ", ""):
        tokenizer = TitleTokenizer.train([blank.join(words), *others], {}, pieces=40)
        assert all(len(tokenizer.words(word)) > 1 for word in words)


def test_a_vocabulary_that_is_full_keeps_no_word_whole():
    titles = ["".join(three) for three in product(*SYLLABLES)] * 2
    full = TitleTokenizer.train(titles, {}, pieces=40)
    assert all(len(full.words(title)) > 1 for title in titles)
    roomy = TitleTokenizer.train(titles, {}, pieces=1000)
    assert all(roomy.words(title) == [title] for title in titles)

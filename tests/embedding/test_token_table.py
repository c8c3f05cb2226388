"""Kinds of token never collide, and gensim can split none of them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from melon.embedding.bags import TokenKind, TokenTable, token


def test_song_artist_and_tag_of_one_number_are_three_tokens():
    assert len({token(kind, 2019) for kind in TokenKind}) == len(TokenKind)


@given(
    st.dictionaries(st.sampled_from(TokenKind), st.lists(st.integers(0, 2**31 - 1), unique=True))
)
def test_codes_lead_back_to_kind_and_number(numbers):
    table = TokenTable({kind: np.array(n, np.int64) for kind, n in numbers.items()})
    strings = table.strings().tolist()
    assert len(table) == len(strings) == len(set(strings))
    assert not any(c.isspace() for string in strings for c in string)
    for kind in TokenKind:
        assert strings[table.span(kind)] == [token(kind, n) for n in numbers.get(kind, [])]


def test_values_of_a_kind_stand_at_its_codes():
    table = TokenTable({TokenKind.SONG: np.arange(2), TokenKind.PLAYLIST: np.arange(3)})
    assert table.values({TokenKind.PLAYLIST: 1, TokenKind.SONG: 5}).tolist() == [5, 5, 1, 1, 1]

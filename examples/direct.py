"""An application that reads the collections with qdrant-client alone: nothing of melon is imported.

Usage: python direct.py SONG_ID OTHER_SONG_ID TAG
"""

import os
import re
import sys
import unicodedata
import uuid

from qdrant_client import QdrantClient, models

NAMESPACE = uuid.UUID("6d656c6f-6e00-5000-8000-706c61796c73")
PREFIX = os.environ.get("MELON_PREFIX", "melon")
SONGS, TAGS = f"{PREFIX}_songs", f"{PREFIX}_tags"
SHOWN = ["name", "artists"]
INVISIBLE = (
    r"\s\u2800"
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    r"\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0001\U000e0020-\U000e007f\U000e0100-\U000e01ef"
)
SEARCH_PARAMS = models.SearchParams(hnsw_ef=256)

client = QdrantClient(
    os.environ.get("MELON_QDRANT_URL", "http://localhost:6333"),
    api_key=os.environ.get("MELON_QDRANT_API_KEY"),
    check_compatibility=False,  # it would warn of a server three minor versions older
)


def show(title: str, points: list[models.ScoredPoint]) -> None:
    """Print songs, best first. What is not known of a song is absent from its payload."""
    print(title)
    for point in points:
        song = point.payload or {}
        artists = ", ".join(song.get("artists", ()))
        print(f"  {point.score:.3f}  {point.id}  {song.get('name', '(no name)')} · {artists}")


def of_the_2000s(song: int, genre: str) -> list[models.ScoredPoint]:
    """A filtered search: the filter is applied while the graph is walked, not afterwards."""
    return client.query_points(
        SONGS,
        query=song,
        using="w2v",
        query_filter=models.Filter(
            must=[
                models.FieldCondition(key="genre_names", match=models.MatchValue(value=genre)),
                models.FieldCondition(
                    key="issue_date",
                    range=models.DatetimeRange(
                        gte="2000-01-01T00:00:00Z",  # type: ignore[arg-type]
                        lt="2010-01-01T00:00:00Z",  # type: ignore[arg-type]
                    ),
                ),
            ]
        ),
        search_params=SEARCH_PARAMS,
        limit=10,
        with_payload=SHOWN,
    ).points


def like_and_unlike(liked: int, disliked: int) -> list[models.ScoredPoint]:
    """A recommendation from songs, among those that are in at least 5 playlists."""
    known = models.FieldCondition(key="popularity", range=models.Range(gte=5))
    examples = models.RecommendInput(
        positive=[liked], negative=[disliked], strategy=models.RecommendStrategy.AVERAGE_VECTOR
    )
    return client.query_points(
        SONGS,
        query=models.RecommendQuery(recommend=examples),
        using="w2v",
        query_filter=models.Filter(must=[known]),
        search_params=SEARCH_PARAMS,
        limit=10,
        with_payload=SHOWN,
    ).points


def stored(tag: str) -> str:
    """The form in which tags are stored: see "Point ids"."""
    looks = r"\ufe0f|(?<=\U0001f3f4)[\U000e0020-\U000e007f]+"
    parts = re.fullmatch(
        f"[{INVISIBLE}]*(.*?)({looks})?[{INVISIBLE}]*", unicodedata.normalize("NFC", tag), re.DOTALL
    )
    bare, look = parts.groups(default="") if parts else ("", "")
    return bare + look if bare and not bare[-1].isalnum() else bare


def songs_for_tag(tag: str) -> list[models.ScoredPoint]:
    """A tag's vector is looked up among the tags and sought among the songs."""
    written = stored(tag)
    return client.query_points(
        SONGS,
        query=str(uuid.uuid5(NAMESPACE, f"tag:{written}")),
        using="w2v",
        lookup_from=models.LookupLocation(collection=TAGS, vector="w2v"),
        search_params=SEARCH_PARAMS,
        limit=10,
        with_payload=SHOWN,
    ).points


if __name__ == "__main__":
    song, disliked, tag = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    records = client.retrieve(SONGS, [song], with_payload=["genre_names"])
    genres = (records[0].payload or {}).get("genre_names") if records else None
    if genres:
        show(f"{genres[0]} of the 2000s near song {song}:", of_the_2000s(song, genres[0]))
    else:
        print(f"no genre of song {song} is known")
    show(f"like song {song}, unlike song {disliked}:", like_and_unlike(song, disliked))
    show(f"for the tag {tag}:", songs_for_tag(tag))

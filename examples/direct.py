"""An application that reads the collections with qdrant-client alone: nothing of melon is imported.

Usage: python direct.py SONG_ID OTHER_SONG_ID TAG
"""

import os
import sys
import uuid

from qdrant_client import QdrantClient, models

NAMESPACE = uuid.UUID("6d656c6f-6e00-5000-8000-706c61796c73")
PREFIX = os.environ.get("MELON_PREFIX", "melon")
SONGS, TAGS = f"{PREFIX}_songs", f"{PREFIX}_tags"
SHOWN = ["name", "artists", "genre_names", "issue_date", "popularity"]

client = QdrantClient(
    os.environ.get("MELON_QDRANT_URL", "http://localhost:6333"),
    api_key=os.environ.get("MELON_QDRANT_API_KEY"),
)


def show(title: str, points: list[models.ScoredPoint]) -> None:
    """Print songs, best first. What is not known of a song is absent from its payload."""
    print(title)
    for point in points:
        song = point.payload or {}
        artists = ", ".join(song.get("artists", ()))
        print(f"  {point.score:.3f}  {point.id}  {song.get('name', '?')} · {artists}")


def near_song_from_the_2000s(song: int, genre: str) -> list[models.ScoredPoint]:
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
        search_params=models.SearchParams(hnsw_ef=256),
        limit=10,
        with_payload=SHOWN,
    ).points


def like_and_unlike(liked: int, disliked: int) -> list[models.ScoredPoint]:
    """A recommendation from songs."""
    examples = models.RecommendInput(positive=[liked], negative=[disliked])
    return client.query_points(
        SONGS,
        query=models.RecommendQuery(recommend=examples),
        using="w2v",
        limit=10,
        with_payload=SHOWN,
    ).points


def songs_for_tag(tag: str) -> list[models.ScoredPoint]:
    """A tag's vector is looked up among the tags and sought among the songs."""
    return client.query_points(
        SONGS,
        query=str(uuid.uuid5(NAMESPACE, f"tag:{tag}")),
        using="w2v",
        lookup_from=models.LookupLocation(collection=TAGS, vector="w2v"),
        limit=10,
        with_payload=SHOWN,
    ).points


if __name__ == "__main__":
    song, other, tag = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    [known] = client.retrieve(SONGS, [song])
    for genre in (known.payload or {}).get("genre_names", ())[:1]:
        show(f"{genre} of the 2000s near song {song}:", near_song_from_the_2000s(song, genre))
    show(f"like song {song}, unlike song {other}:", like_and_unlike(song, other))
    show(f"for the tag {tag}:", songs_for_tag(tag))

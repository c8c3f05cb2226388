"""Text search, scroll and facet with qdrant-client alone: nothing of melon is imported.

Usage: python lookup.py WORD
"""

import os
import sys

from qdrant_client import QdrantClient, models

SONGS = f"{os.environ.get('MELON_PREFIX', 'melon')}_songs"

client = QdrantClient(
    os.environ.get("MELON_QDRANT_URL", "http://localhost:6333"),
    api_key=os.environ.get("MELON_QDRANT_API_KEY"),
    check_compatibility=False,  # it would warn of a server three minor versions older
)


def with_word(word: str) -> models.Filter:
    """Songs with a word that begins so in their name; the word is in normal form."""
    match = models.MatchText(text=word)
    return models.Filter(must=[models.FieldCondition(key="search_words", match=match)])


def most_popular(songs: models.Filter, limit: int) -> list[models.Record]:
    """One page of a scroll, ordered by an indexed number."""
    records, _ = client.scroll(
        SONGS,
        scroll_filter=songs,
        order_by=models.OrderBy(key="popularity", direction=models.Direction.DESC),
        limit=limit,
        with_payload=["name", "artists", "popularity"],
    )
    return records


def genres(songs: models.Filter, limit: int) -> list[models.FacetValueHit]:
    """How many of the songs have each genre. Without `exact`, counts are estimates."""
    return client.facet(SONGS, "genre_names", facet_filter=songs, exact=True, limit=limit).hits


if __name__ == "__main__":
    named = with_word(sys.argv[1])
    for record in most_popular(named, 5):
        song = record.payload or {}
        print(record.id, song["name"], ", ".join(song.get("artists", ())), song["popularity"])
    for genre in genres(named, 5):
        print(genre.value, genre.count)

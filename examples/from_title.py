"""Songs and tags for a title, by two sparse requests: nothing of melon is imported.

Usage: python from_title.py TITLE
"""

import os
import sys
import unicodedata
import uuid
from itertools import pairwise

from qdrant_client import QdrantClient, models

NAMESPACE = uuid.UUID("6d656c6f-6e00-5000-8000-706c61796c73")
PREFIX = os.environ.get("MELON_PREFIX", "melon")
NEIGHBOURS = 200

client = QdrantClient(
    os.environ.get("MELON_QDRANT_URL", "http://localhost:6333"),
    api_key=os.environ.get("MELON_QDRANT_API_KEY"),
)


def pairs_of_letters(title: str) -> list[str]:
    """Neighbouring letters and digits of the title, whatever their case, across spaces."""
    caseless = unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", title).casefold())
    letters = [character for character in caseless if character.isalnum()]
    return list(dict.fromkeys(map("".join, pairwise(letters))))


def bag(title: str) -> models.SparseVector:
    """The pairs that playlists hold, rare ones heavier: a query on the playlists' `items`."""
    points = client.retrieve(
        f"{PREFIX}_words",
        [str(uuid.uuid5(NAMESPACE, f"bigram:{pair}")) for pair in pairs_of_letters(title)],
        with_payload=["item", "popularity"],
    )
    payloads = [point.payload or {} for point in points]
    return models.SparseVector(
        indices=[payload["item"] for payload in payloads],
        values=[payload["popularity"] ** -0.5 for payload in payloads],
    )


def nearest(
    collection: str, vector: models.SparseVector, using: str, limit: int, shown: list[str]
) -> list[models.ScoredPoint]:
    """The points whose sparse vectors have most in common with this one."""
    return client.query_points(
        f"{PREFIX}_{collection}", query=vector, using=using, limit=limit, with_payload=shown
    ).points


if __name__ == "__main__":
    title = bag(sys.argv[1])
    if not title.indices:
        sys.exit("no playlist is called anything like that")
    playlists = nearest("playlists", title, "items", NEIGHBOURS, ["title"])
    for playlist in playlists[:3]:
        print(f"{playlist.score:.3f}  {(playlist.payload or {}).get('title', '')}")
    # Their ids are dimensions of the songs' and of the tags' `playlists`: the second request.
    held = models.SparseVector(
        indices=[int(playlist.id) for playlist in playlists],
        values=[(playlist.score / playlists[0].score) ** 2 for playlist in playlists],
    )
    for song in nearest("songs", held, "playlists", 10, ["name", "artists"]):
        payload = song.payload or {}
        print(
            f"song {song.id}  {payload.get('name', '?')} · {', '.join(payload.get('artists', ()))}"
        )
    for tag in nearest("tags", held, "playlists", 5, ["tag"]):
        print(f"tag {(tag.payload or {})['tag']}")

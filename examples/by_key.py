"""Songs like those that an application knows by its own keys, with its catalogue's own fields.

Usage: python by_key.py KEY...
"""

import os
import sys
import uuid
from typing import Any

from qdrant_client import QdrantClient, models

NAMESPACE = uuid.UUID("6d656c6f-6e00-5000-8000-706c61796c73")
PREFIX = os.environ.get("MELON_PREFIX", "melon")
SONGS = f"{PREFIX}_songs"

client = QdrantClient(
    os.environ.get("MELON_QDRANT_URL", "http://localhost:6333"),
    api_key=os.environ.get("MELON_QDRANT_API_KEY"),
    check_compatibility=False,  # it would warn of a server three minor versions older
)


def own_fields() -> dict[str, str]:
    """The type of each field that the catalogue of the live release declares."""
    aliases = {one.alias_name: one.collection_name for one in client.get_aliases().aliases}
    release = aliases[SONGS].rpartition("__")[2]
    point = str(uuid.uuid5(NAMESPACE, f"release:{release}"))
    [manifest] = client.retrieve(f"{PREFIX}_releases", [point], with_payload=["fields"])
    return {field["name"]: field["type"] for field in (manifest.payload or {}).get("fields", ())}


def ids_of(keys: list[str]) -> dict[str, Any]:
    """The ids of the songs that have these keys."""
    having = models.FieldCondition(key="key", match=models.MatchAny(any=keys))
    found, _ = client.scroll(
        SONGS, models.Filter(must=[having]), limit=len(keys), with_payload=["key"]
    )
    return {(song.payload or {})["key"]: song.id for song in found}


def like(songs: list[Any], shown: list[str]) -> list[models.ScoredPoint]:
    """The songs nearest to all of these."""
    return client.query_points(
        SONGS,
        query=models.RecommendQuery(recommend=models.RecommendInput(positive=songs)),
        using="w2v",
        search_params=models.SearchParams(hnsw_ef=256),
        limit=10,
        with_payload=shown,
    ).points


if __name__ == "__main__":
    fields, ids = own_fields(), ids_of(sys.argv[1:])
    print(f"own fields: {', '.join(f'{name} ({type})' for name, type in fields.items()) or '-'}")
    if missing := [key for key in sys.argv[1:] if key not in ids]:
        sys.exit(f"no song has the key {missing[0]}")
    for song in like(list(ids.values()), ["key", "name", *fields]):
        print(song.score, song.payload)

"""Continue a playlist by Qdrant's REST API alone, as a client in any language can.

Usage: python continuation.py SONG_ID...
"""

import json
import os
import sys
import urllib.request
import uuid
from typing import Any

URL = os.environ.get("MELON_QDRANT_URL", "http://localhost:6333")
PREFIX = os.environ.get("MELON_PREFIX", "melon")
NAMESPACE = uuid.UUID("6d656c6f-6e00-5000-8000-706c61796c73")
SCHEMA_VERSION = 3


def ask(path: str, body: dict[str, Any] | None = None) -> Any:
    """The `result` of a request: GET, or POST where there is a body."""
    request = urllib.request.Request(
        f"{URL}{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "content-type": "application/json",
            "api-key": os.environ.get("MELON_QDRANT_API_KEY", ""),
        },
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["result"]


def live_release() -> str:
    """The release that the alias of the songs names, if it is of the version written for here."""
    aliases = {one["alias_name"]: one["collection_name"] for one in ask("/aliases")["aliases"]}
    release: str = aliases[f"{PREFIX}_songs"].rpartition("__")[2]
    point = str(uuid.uuid5(NAMESPACE, f"release:{release}"))
    [manifest] = ask(
        f"/collections/{PREFIX}_releases/points",
        {"ids": [point], "with_payload": ["schema_version"]},
    )
    version = manifest["payload"]["schema_version"]
    if version != SCHEMA_VERSION:
        sys.exit(f"release {release} is of schema version {version}, not {SCHEMA_VERSION}")
    return release


def sparse_query(
    collection: str, vector: dict[int, float], using: str, limit: int, **more: Any
) -> list[dict[str, Any]]:
    """The points whose sparse vectors have most in common with this one, best first."""
    query = {"indices": list(vector), "values": list(vector.values())}
    body = {"query": query, "using": using, "limit": limit, **more}
    points: list[dict[str, Any]] = ask(f"/collections/{collection}/points/query", body)["points"]
    return points


def weighed(playlists: list[dict[str, Any]], power: float) -> dict[int, float]:
    """Playlists as a query on what they hold: their scores, scaled to at most 1, to a power."""
    best = playlists[0]["score"]
    return {playlist["id"]: (playlist["score"] / best) ** power for playlist in playlists}


def continuation(seeds: list[int]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """100 songs and 10 tags for the playlist that begins with these songs."""
    release = live_release()
    songs, tags, playlists = (
        f"{PREFIX}_{kind}__{release}" for kind in ("songs", "tags", "playlists")
    )
    # 1. How popular the seeds are: a rare song says more.
    known = ask(f"/collections/{songs}/points", {"ids": seeds, "with_payload": ["popularity"]})
    seed_weights = {seed["id"]: max(seed["payload"]["popularity"], 1) ** -0.25 for seed in known}
    # 2. The playlists that hold most of them.
    neighbours = sparse_query(playlists, seed_weights, "items", 500) if seed_weights else []
    if not neighbours:
        return [], []
    # 3. What these hold: songs, and in the same manner tags.
    not_seeds = {"must_not": [{"has_id": seeds}]}  # constraints go into its "must"
    shown = ["name", "artists"]
    continuing = sparse_query(
        songs, weighed(neighbours, 1.5), "playlists", 100, filter=not_seeds, with_payload=shown
    )
    for_tags = weighed(neighbours[:100], 1.25)
    return continuing, sparse_query(tags, for_tags, "playlists", 10, with_payload=["tag"])


if __name__ == "__main__":
    recommended_songs, recommended_tags = continuation([int(song) for song in sys.argv[1:]])
    if not recommended_songs:
        sys.exit("no playlist holds any of these songs")
    for song in recommended_songs:
        name, artists = song["payload"].get("name", "(no name)"), song["payload"].get("artists", ())
        print(f"song {song['id']}  {name} · {', '.join(artists)}")
    for tag in recommended_tags:
        print(f"tag {tag['payload']['tag']}")

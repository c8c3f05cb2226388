"""Songs and tags for a title, by two sparse searches: nothing of melon is imported.

Usage: python from_title.py TITLE
"""

import os
import re
import sys
import unicodedata
import uuid
from itertools import pairwise

from qdrant_client import QdrantClient, models

NAMESPACE = uuid.UUID("6d656c6f-6e00-5000-8000-706c61796c73")
PREFIX = os.environ.get("MELON_PREFIX", "melon")
SCHEMA_VERSION = 3
NEIGHBOURS = 200

INVISIBLE = re.compile(
    "["
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    r"\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0001\U000e0020-\U000e007f\U000e0100-\U000e01ef"
    "]"
)
SYMBOLS = re.compile(
    r"[0-9#*]\u20e3|[℠™ℹ㊗㊙\u24eb-\u24ff\u2776-\u2793\U0001f10b\U0001f10c\U0001f201\U0001f202"
    r"\U0001f21a\U0001f22f\U0001f232-\U0001f23a\U0001f250\U0001f251]"
)
"""Those that would have letters or digits; others have none."""

client = QdrantClient(
    os.environ.get("MELON_QDRANT_URL", "http://localhost:6333"),
    api_key=os.environ.get("MELON_QDRANT_API_KEY"),
    check_compatibility=False,  # it would warn of a server three minor versions older
)


def live_release() -> str:
    """The release that the alias of the songs names, if it is of the version written for here."""
    aliases = {alias.alias_name: alias.collection_name for alias in client.get_aliases().aliases}
    release = aliases[f"{PREFIX}_songs"].rpartition("__")[2]
    point = str(uuid.uuid5(NAMESPACE, f"release:{release}"))
    [manifest] = client.retrieve(f"{PREFIX}_releases", [point], with_payload=["schema_version"])
    version = (manifest.payload or {})["schema_version"]
    if version != SCHEMA_VERSION:
        sys.exit(f"release {release} is of schema version {version}, not {SCHEMA_VERSION}")
    return release


def letters(text: str) -> str:
    """The letters and digits of the normal form without its symbols: see "The normal form"."""
    seen = SYMBOLS.sub(" ", INVISIBLE.sub("", text))
    folded = unicodedata.normalize("NFD", seen).casefold()
    folded = unicodedata.normalize("NFKD", folded).casefold().replace("ı", "i")
    folded = re.sub(
        "(?<=[ij])[\u0300-\u036f]+", lambda marks: marks[0].replace("\u0307", ""), folded
    )
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", folded)))


def letter_bigrams(title: str) -> list[str]:
    """Adjacent letters and digits of the title, across spaces, once each."""
    return list(dict.fromkeys(map("".join, pairwise(letters(title)))))


def title_vector(title: str, release: str) -> models.SparseVector:
    """The bigrams that playlists hold, rare ones heavier: a query on the playlists' `items`."""
    points = client.retrieve(
        f"{PREFIX}_words__{release}",
        [str(uuid.uuid5(NAMESPACE, f"bigram:{bigram}")) for bigram in letter_bigrams(title)],
        with_payload=["item", "popularity"],
    )
    payloads = [point.payload or {} for point in points]
    return models.SparseVector(
        indices=[payload["item"] for payload in payloads],
        values=[payload["popularity"] ** -0.5 for payload in payloads],
    )


def sparse_query(
    collection: str, vector: models.SparseVector, using: str, limit: int, shown: list[str]
) -> list[models.ScoredPoint]:
    """The points whose sparse vectors have most in common with this one."""
    return client.query_points(
        collection, query=vector, using=using, limit=limit, with_payload=shown
    ).points


def listed(names: list[str] | None, otherwise: str) -> str:
    """Names as text. A field that is not known is absent."""
    return ", ".join(names) if names else otherwise


if __name__ == "__main__":
    release = live_release()  # once: numbers of items mean something in one release only
    title = title_vector(sys.argv[1], release)
    if not title.indices:
        sys.exit("no playlist has anything of that in its title or tags")
    playlists = sparse_query(
        f"{PREFIX}_playlists__{release}", title, "items", NEIGHBOURS, ["title", "tags"]
    )
    for playlist in playlists[:3]:
        known = playlist.payload or {}
        name, tags = known.get("title", "(no title)"), listed(known.get("tags"), "(no tags)")
        print(f"playlist {playlist.id}  {name} · {tags}")
    # Their ids are dimensions of the songs' and of the tags' `playlists`: the second search.
    weights = models.SparseVector(
        indices=[int(playlist.id) for playlist in playlists],
        values=[(playlist.score / playlists[0].score) ** 2 for playlist in playlists],
    )
    songs = sparse_query(
        f"{PREFIX}_songs__{release}", weights, "playlists", 10, ["name", "artists"]
    )
    for song in songs:
        known = song.payload or {}
        name, artists = known.get("name", "(no name)"), listed(known.get("artists"), "(no artist)")
        print(f"song {song.id}  {name} · {artists}")
    for tag in sparse_query(f"{PREFIX}_tags__{release}", weights, "playlists", 5, ["tag"]):
        print(f"tag {(tag.payload or {})['tag']}")

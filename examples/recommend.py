"""Recommendations from a program: the store that the environment names, or that is found."""

from melon.retrieval import Constraints, Item, PlaylistQuery, Retriever
from melon.settings import load_settings
from melon.store import Collection, open_store

with open_store(load_settings()) as store:
    retriever = Retriever(store)  # keep it: it follows newly promoted releases by itself

    found = retriever.recommend(
        PlaylistQuery(title="rainy day", tags=("rain",), not_tags=("party",)),
        Constraints(genres=("Jazz", "Ballad"), since="1990", until="2009"),
        limit=5,
        tag_limit=3,
    )
    for song in found.songs:
        print(f"{song.score:.3f}  {song.name} · {', '.join(song.artists)} · {song.issue_date}")
    print("tags:", ", ".join(tag.tag for tag in found.tags))

    near = retriever.similar(Item(tag="rain"), limit=3)
    print("near the tag rain:", [song.payload.get("name") for song in near[Collection.SONGS]])

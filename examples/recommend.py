"""Recommendations from a program, of the store that the `melon` command would take."""

import melon

try:
    with melon.open() as retriever:  # keep it open: it follows newly promoted releases by itself
        answer = retriever.recommend(
            title="rainy day",
            tags=["rain"],
            not_tags=["party"],
            constraints=melon.Constraints(genres=["Jazz", "Ballad"], since="1990", until="2009"),
            limit=5,
            tag_limit=3,
        )
        for song in answer.songs:
            print(f"{song.score:.3f}  {song.name} · {', '.join(song.artists)} · {song.issue_date}")
        print("tags:", ", ".join(tag.tag for tag in answer.tags))

        near = retriever.similar(melon.Item(tag="rain"), limit=3)
        print(
            "near the tag rain:",
            [song.payload.get("name") for song in near[melon.Collection.SONGS]],
        )
except melon.MelonError as error:  # as where no song has such a genre
    raise SystemExit(f"error: {error}") from None

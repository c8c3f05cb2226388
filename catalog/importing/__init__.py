"""Playlists of other people's making: tables and documents become files in Melon's format.

    door         what the room offers of it
    sources      opens files and frames as `tables`: `dialect` and `delimited`, `nested`, `m3u`
    planning     decides what becomes of every column (`plan`): `mapping`, then `roles` by `names`
    checks       refuses what would be lost by a plan, and asks what cannot be told
    reading      reads the tables into a `catalogue`: `rows`, `gathering`, `own_columns`
    directory    writes the catalogue, beside what was there

What cells hold is told by `cells` and `kinds`, what was read and left out by `report`.
"""

"""Writes Melon's files as one CSV of entries, as a player exports its playlists.

python examples/playlists_as_csv.py DIR FILE
"""

import csv
import json
import sys
from pathlib import Path

source, target = map(Path, sys.argv[1:])
songs = {song["id"]: song for song in json.loads((source / "song_meta.json").read_text("utf-8"))}
genres = json.loads((source / "genre_gn_all.json").read_text("utf-8"))

with target.open("w", encoding="utf-8", newline="") as file:
    write = csv.writer(file).writerow
    columns = "Playlist ID,Playlist,Tags,Track ID,Track Name,Artist,Album,Genre,Released"
    write(columns.split(","))
    for playlist in json.loads((source / "train.json").read_text("utf-8")):
        for song in map(songs.__getitem__, playlist["songs"]):
            write(
                [
                    f"list:{playlist['id']}",
                    playlist["plylst_title"],
                    "; ".join(playlist["tags"]),
                    f"track:{song['id']:05}",
                    song["song_name"],
                    "; ".join(song["artist_name_basket"]),
                    song["album_name"],
                    "; ".join(genres[code] for code in song["song_gn_gnr_basket"]),
                    song["issue_date"],
                ]
            )

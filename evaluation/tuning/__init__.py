"""The search for the retrieval settings that suit a catalogue, on masked playlists."""

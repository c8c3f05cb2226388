"""Retrieval settings become those that suit a catalogue: searched on masked playlists."""

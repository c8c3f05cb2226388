"""Playlists of other people's making: tables and documents become files in Melon's format."""

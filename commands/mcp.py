"""`melon mcp`: a store's answers as tools for agents."""

from __future__ import annotations

from melon.commands.options import (
    PathOption,
    SettingsOption,
    UrlOption,
    chosen_settings,
    chosen_store,
)


def mcp(settings: SettingsOption = None, url: UrlOption = None, path: PathOption = None) -> None:
    """Answer an agent by the Model Context Protocol, on stdin and stdout, from the live release.

    Its tools continue playlists, find tags, what is similar, and names, and show what is known.
    Nothing can be changed through them.
    """
    from melon.errors import needing
    from melon.service import Source, serve_tools
    from melon.settings import load_settings

    retrieval = chosen_settings(settings)
    store = chosen_store(url, path)
    with needing("mcp"):
        serve_tools(Source(store, retrieval, load_settings().strategy))

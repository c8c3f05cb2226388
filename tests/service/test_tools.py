"""`melon mcp` answers an agent what the command prints, asked by the protocol's own client."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from command_line import melon, melon_without, on, on_one_engine
from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult, ListToolsResult, TextContent
from places import Place

Session = Callable[[Client], Awaitable[Any]]

CALLS: list[tuple[str, dict[str, Any], list[str]]] = [
    (
        "continue_playlist",
        {"title": "rainy day", "tags": ["rain"], "genres": ["Jazz"], "since": "1990", "limit": 4},
        [
            *("query", "--title", "rainy day", "--tag", "rain", "--genre", "Jazz"),
            *("--since", "1990", "--limit", "4"),
        ],
    ),
    (
        "tags_for",
        {"songs": [3, 5], "limit": 4},
        ["query", "--song", "3", "--song", "5", "--limit", "0", "--tag-limit", "4"],
    ),
    ("similar", {"tag": "rain", "limit": 3}, ["similar", "--tag", "rain", "--limit", "3"]),
    ("find", {"text": "비", "limit": 3}, ["find", "비", "--limit", "3"]),
    ("show", {"kind": "tag", "what": "rain"}, ["show", "tag", "rain"]),
]

WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("continue_playlist", {"genres": ["Jaz"]}, "there is no genre 'Jaz'\n  hint: did you mean"),
    ("continue_playlist", {"genre": ["Jazz"]}, "genre: there is nothing of this name"),
    ("continue_playlist", {"songs": [2**70]}, "songs[0]: "),
    ("show", {"kind": "song", "what": "no such song"}, "there is no song named"),
    ("promote", {}, "there is no tool 'promote'"),
]


def with_client(place: Place, session: Session) -> Any:
    """What comes of a session with `melon mcp` of a place, in a process of its own."""

    async def run() -> Any:
        arguments = ["-m", "melon.cli", "mcp", *place.options]
        environment = {**os.environ, **place.environment}
        command = StdioServerParameters(command=sys.executable, args=arguments, env=environment)
        async with Client(command) as client:
            return await session(client)

    return asyncio.run(asyncio.wait_for(run(), 120))


def test_a_tool_answers_what_the_command_prints(demo_place: Place) -> None:
    async def session(client: Client) -> tuple[ListToolsResult, list[CallToolResult]]:
        listed = await client.list_tools()
        asked = [(name, given) for name, given, _ in [*CALLS, *WRONG]]
        return listed, [await client.call_tool(name, given) for name, given in asked]

    listed, answers = with_client(demo_place, session)
    assert {tool.name for tool in listed.tools} == {name for name, _, _ in CALLS}
    for tool in listed.tools:
        assert tool.annotations.read_only_hint
        assert tool.input_schema["additionalProperties"] is False
        assert tool.output_schema["type"] == "object"
    constrained = next(tool for tool in listed.tools if tool.name == "continue_playlist")
    assert {"genres", "since", "where"} <= set(constrained.input_schema["properties"])
    ask = on(demo_place)
    for (name, _, command), answer in zip(CALLS, answers, strict=False):
        assert not answer.is_error, answer.content
        assert answer.structured_content == ask(*command, "--json").json(), name
        [text] = answer.content
        assert isinstance(text, TextContent)
        assert json.loads(text.text) == answer.structured_content
    for (name, _, said), answer in zip(WRONG, answers[len(CALLS) :], strict=True):
        assert answer.is_error, name
        [text] = answer.content
        assert said in text.text


@on_one_engine
def test_what_is_not_installed_is_named(demo_place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "melon.service.tools", raising=False)
    monkeypatch.setitem(sys.modules, "mcp", None)
    done = melon("mcp", *demo_place.options)
    assert done.code == 1
    assert "pip install 'melon[mcp]'" in done.err


@on_one_engine
@pytest.mark.parametrize("stream", [0, 1])
def test_a_stream_that_is_closed_is_named(demo_place: Place, stream: int) -> None:
    done = melon_without(stream, "mcp", *demo_place.options, environment=demo_place.environment)
    assert done.code == 1
    assert "stdin or stdout is closed" in done.err

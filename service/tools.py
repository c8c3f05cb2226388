"""Tools for agents, by the Model Context Protocol: the same questions as those of the API."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, NamedTuple

import anyio
from anyio.to_thread import run_sync
from mcp import types
from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server
from pydantic import BaseModel, Field, ValidationError

from melon.errors import InputError, MelonError
from melon.retrieval import Retriever
from melon.service import answers
from melon.service.requests import (
    MAX_RESULTS,
    FindRequest,
    Names,
    QueryRequest,
    Question,
    ShownKind,
    ShowRequest,
    SimilarRequest,
    SongName,
    Songs,
    Text,
    refused,
)
from melon.service.source import Source

INSTRUCTIONS = (
    "Recommends songs and tags for playlists, from one catalogue. Look songs, tags, artists and"
    " playlists up with `find` where their exact names are not known. Nothing can be changed."
)


class TagsRequest(Question):
    """Part of a playlist to find tags for."""

    songs: Songs = Field(default=[], description="Songs, by id; as text by key, id or whole name.")
    tags: Names = Field(default=[], description="Tags that it has.")
    title: Text | None = Field(default=None, description="The playlist's title.")
    playlist: SongName | None = Field(default=None, description="A playlist, by key or id.")
    not_tags: Names = Field(default=[], description="Tags that are disliked.")
    limit: int = Field(default=10, ge=1, le=MAX_RESULTS, description="How many tags.")

    def answer(self, retriever: Retriever) -> dict[str, Any]:
        """As `melon query --limit 0 --json`."""
        asked = self.model_dump(exclude={"limit"})
        return QueryRequest(**asked, limit=0, tag_limit=self.limit).answer(retriever)


class ShowAnyRequest(ShowRequest, Question):
    """What to show."""

    kind: ShownKind = Field(description="What it is.")

    def answer(self, retriever: Retriever) -> dict[str, Any]:
        """As `melon show --json`."""
        return self.show(retriever, self.kind)


class Asked(NamedTuple):
    """A tool: what it is for, and the shapes of its arguments and of its answer."""

    description: str
    request: type[Question]
    answer: type[BaseModel]


TOOLS: Mapping[str, Asked] = {
    "continue_playlist": Asked(
        "Continue a playlist: the songs and tags that fit some songs, some tags, a title, or a"
        " mix of them, under constraints on what a song must be.",
        QueryRequest,
        answers.RecommendationAnswer,
    ),
    "tags_for": Asked(
        "Find the tags that fit some songs, a title, or a playlist.",
        TagsRequest,
        answers.RecommendationAnswer,
    ),
    "similar": Asked(
        "Find what is nearest to one song, tag, title, playlist or title word.",
        SimilarRequest,
        answers.SimilarAnswer,
    ),
    "find": Asked(
        "Find songs, tags, artists and playlists by a part of their name or key.",
        FindRequest,
        answers.FoundAnswer,
    ),
    "show": Asked(
        "Show all that is known of one song, tag, playlist or artist, and what is nearest to it.",
        ShowAnyRequest,
        answers.ShownAnswer,
    ),
}


def serve_tools(source: Source) -> None:
    """Answer an agent on stdin and stdout until it closes them.

    Raises:
        MelonError: one of them is closed from the start.
    """
    if not (hasattr(sys.stdin, "buffer") and hasattr(sys.stdout, "buffer")):
        raise MelonError(
            "stdin or stdout is closed", hint="let an agent start it, which speaks through both"
        )

    async def serve() -> None:
        server = tool_server(source)
        async with stdio_server() as (asked, answered):
            await server.run(asked, answered, server.create_initialization_options())

    anyio.run(serve)


def tool_server(source: Source) -> Server[Any]:
    """A server of the tools, to be run on any transport."""

    async def list_tools(
        _: ServerRequestContext[Any], __: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[_described(name) for name in TOOLS])

    async def call_tool(
        _: ServerRequestContext[Any], asked: types.CallToolRequestParams
    ) -> types.CallToolResult:
        return await run_sync(answered, source, asked.name, asked.arguments or {})

    return Server(
        "melon",
        version=version("melon"),
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def answered(source: Source, name: str, arguments: Mapping[str, Any]) -> types.CallToolResult:
    """What a tool answers: JSON, as such and as text, or what is wrong as the command says it."""
    try:
        answer = _answer(source, name, arguments)
    except MelonError as error:
        return types.CallToolResult(content=[types.TextContent(text=str(error))], is_error=True)
    text = json.dumps(answer, ensure_ascii=False)
    return types.CallToolResult(content=[types.TextContent(text=text)], structured_content=answer)


def _answer(source: Source, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    if name not in TOOLS:
        raise InputError(f"there is no tool {name!r}", hint=f"tools: {', '.join(TOOLS)}")
    try:
        asked = TOOLS[name].request.model_validate(arguments)
    except ValidationError as error:
        raise refused(error) from None
    return asked.answer(source.retriever(asked.release))


def _described(name: str) -> types.Tool:
    tool = TOOLS[name]
    return types.Tool(
        name=name,
        description=tool.description,
        input_schema=tool.request.model_json_schema(),
        output_schema=tool.answer.model_json_schema(mode="serialization"),
        annotations=types.ToolAnnotations(
            read_only_hint=True, idempotent_hint=True, open_world_hint=False
        ),
    )

"""The routes of the API, version 1."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.security import HTTPBearer

from melon.errors import InputError
from melon.retrieval import Retriever, counted_fields, wanted_fields
from melon.service import answers, failures
from melon.service.asking import Service
from melon.service.reading import Route
from melon.service.requests import (
    BatchRequest,
    ExportRequest,
    FacetsRequest,
    FindRequest,
    ListedKind,
    ListRequest,
    NamesRequest,
    PlaylistFormat,
    PlaylistsRequest,
    QueryRequest,
    ReleaseRequest,
    ShownKind,
    ShowRequest,
    SimilarRequest,
    answer_together,
)
from melon.service.together import Together
from melon.store import Collection

VERSION = "/api/v1"
"""Where the routes are. What is there keeps its meaning: fields and routes may be added."""

_MEANINGS: dict[int | str, str] = {
    400: "Something of what was asked is wrong.",
    404: "A song, tag, playlist, artist or release that is asked for is not known.",
    503: "The store is away, or too many requests wait: ask again after Retry-After.",
    504: "The answer took too long.",
    "default": "Another error.",
}
_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": answers.ErrorAnswer, "description": said}
    for status, said in _MEANINGS.items()
}


def _example(body: dict[str, Any]) -> dict[str, Any]:
    """What the description proposes to send; most stores can answer it."""
    return {"requestBody": {"content": {"application/json": {"example": body}}}}


_A_QUERY = _example({"title": "rainy day", "limit": 5, "tag_limit": 3})
_SOME_QUERIES = _example({"queries": [{"title": "rainy day"}, {"since": "2000", "limit": 5}]})
_MEDIA_TYPES: dict[PlaylistFormat, str] = {
    "m3u8": "audio/x-mpegurl",
    "jspf": "application/json",
    "csv": "text/csv",
    "json": "application/json",
}
_FILES: dict[int | str, dict[str, Any]] = {
    200: {"content": {media_type: {} for media_type in _MEDIA_TYPES.values()}}
}


def router(service: Service, *, secured: bool) -> APIRouter:
    """The routes, which ask a service's store.

    Args:
        service: answers.
        secured: whether the description says that a key is needed, which the guard checks.
    """
    described = [Depends(HTTPBearer(auto_error=False))] if secured else []
    api = APIRouter(
        prefix=VERSION,
        responses=_errors(secured),
        dependencies=described,
        route_class=Route,
    )
    state = APIRouter(tags=["state"])
    together = Together(service)

    @api.get("/query", tags=["ask"], response_model=answers.RecommendationAnswer)
    async def query(asked: Annotated[QueryRequest, Query()], request: Request) -> Response:
        """Continue a playlist: the songs and tags that fit some songs, tags, a title, or a mix."""
        return await together.ask(request, asked)

    @api.post(
        "/query",
        tags=["ask"],
        response_model=answers.RecommendationAnswer,
        openapi_extra=_A_QUERY,
    )
    async def query_json(asked: QueryRequest, request: Request) -> Response:
        """The same, asked in JSON."""
        return await together.ask(request, asked)

    @api.post(
        "/queries", tags=["ask"], response_model=answers.BatchAnswer, openapi_extra=_SOME_QUERIES
    )
    async def queries(asked: BatchRequest, request: Request) -> Response:
        """Several queries at once. Where one has no answer, none has, and the error names it."""
        return await service.tell(request, lambda: _answers(service, asked))

    @api.get("/export", tags=["ask"], response_class=Response, responses=_FILES)
    async def export(asked: Annotated[ExportRequest, Query()], request: Request) -> Response:
        """The songs of a query as a playlist: M3U8, JSPF, CSV, or Melon's JSON."""
        return await _file(service, asked, request)

    @api.post(
        "/export",
        tags=["ask"],
        response_class=Response,
        responses=_FILES,
        openapi_extra=_A_QUERY,
    )
    async def export_json(asked: ExportRequest, request: Request) -> Response:
        """The same, asked in JSON."""
        return await _file(service, asked, request)

    @api.get("/similar", tags=["ask"], response_model=answers.SimilarAnswer)
    async def similar(asked: Annotated[SimilarRequest, Query()], request: Request) -> Response:
        """What lies nearest to one song, tag, title, playlist or word in the co-embedding."""
        return await service.ask(request, asked.answer, asked.release)

    @api.post(
        "/similar",
        tags=["ask"],
        response_model=answers.SimilarAnswer,
        openapi_extra=_example({"title": "rainy day", "to": ["songs"], "limit": 5}),
    )
    async def similar_json(asked: SimilarRequest, request: Request) -> Response:
        """The same, asked in JSON."""
        return await service.ask(request, asked.answer, asked.release)

    @api.get("/find", tags=["look up"], response_model=answers.FoundAnswer)
    async def find(asked: Annotated[FindRequest, Query()], request: Request) -> Response:
        """Songs, tags, artists and playlists by a part of their name or key, popular ones first."""
        return await service.ask(request, asked.answer, asked.release)

    @api.get("/show/{kind}", tags=["look up"], response_model=answers.ShownAnswer)
    async def show(
        kind: ShownKind, asked: Annotated[ShowRequest, Query()], request: Request
    ) -> Response:
        """All that is known of one song, tag, playlist or artist."""
        return await service.ask(request, lambda one: asked.show(one, kind), asked.release)

    @api.get("/names", tags=["look up"], response_model=answers.NamesAnswer)
    async def names(asked: Annotated[NamesRequest, Query()], request: Request) -> Response:
        """What songs and playlists are called whose ids are known."""
        return await service.ask(request, asked.answer, asked.release)

    @api.post(
        "/names",
        tags=["look up"],
        response_model=answers.NamesAnswer,
        openapi_extra=_example({"songs": [1, 2], "playlists": [1]}),
    )
    async def names_json(asked: NamesRequest, request: Request) -> Response:
        """The same, asked in JSON."""
        return await service.ask(request, asked.answer, asked.release)

    @api.get("/list/{kind}", tags=["look up"], response_model=answers.ListAnswer)
    async def list_(
        kind: ListedKind, asked: Annotated[ListRequest, Query()], request: Request
    ) -> Response:
        """The store's tags, genres, artists or fields, the most frequent first, page by page."""
        return await service.ask(request, lambda one: asked.list(one, kind), asked.release)

    @api.get("/playlists", tags=["look up"], response_model=answers.PlaylistsAnswer)
    async def playlists(asked: Annotated[PlaylistsRequest, Query()], request: Request) -> Response:
        """The playlists that carry some tags, or all of the store, the most liked first."""
        return await service.ask(request, asked.answer, asked.release)

    @api.get("/facets", tags=["look up"], response_model=answers.FacetsAnswer)
    async def facets(asked: Annotated[FacetsRequest, Query()], request: Request) -> Response:
        """How many songs pass some constraints, and how many of them have each value."""
        return await service.ask(request, asked.answer, asked.release)

    @api.get("/map", tags=["look up"], response_model=answers.MapAnswer)
    async def map_(asked: Annotated[ReleaseRequest, Query()], request: Request) -> Response:
        """Places on a plane for songs, tags and playlists: near each other if they are alike."""
        return await service.ask(request, service.maps.of, asked.release)

    @api.get("/about", tags=["look up"], response_model=answers.AboutAnswer)
    async def about(asked: Annotated[ReleaseRequest, Query()], request: Request) -> Response:
        """What answers: the store, the release, the strategies, and the fields to constrain by."""
        return await service.ask(request, lambda one: _about(service, one), asked.release)

    @api.get("/releases", tags=["look up"], response_model=list[answers.ReleaseAnswer])
    async def releases(request: Request) -> Response:
        """The store's releases, newest first."""
        infos = service.source.store.releases
        return await service.tell(request, lambda: [info.to_json() for info in infos()])

    @state.get("/health", response_model=answers.HealthAnswer, responses=_errors(False))
    @state.get("/health/ready", response_model=answers.HealthAnswer, responses=_errors(False))
    async def ready(request: Request) -> Response:
        """Whether the service can answer: the store is there, and a release of it answers."""
        return await service.ask(request, _ready)

    @state.get("/health/live", response_model=answers.HealthAnswer)
    async def live() -> Response:
        """Whether the service runs, whatever the store does."""
        release = service.source.release
        return failures.as_json({"live": True, "ready": release is not None, "release": release})

    api.routes += state.routes
    return api


def _errors(secured: bool) -> dict[int | str, dict[str, Any]]:
    key = {"model": answers.ErrorAnswer, "description": "The API key is missing or wrong."}
    return {**_ERRORS, **({401: key} if secured else {})}


async def _file(service: Service, asked: ExportRequest, request: Request) -> Response:
    media_type = _MEDIA_TYPES[asked.format]
    headers = {"Content-Disposition": f'attachment; filename="melon.{asked.format}"'}

    def answer() -> Response:
        content = asked.file(service.source.retriever(asked.release)).encode(errors="replace")
        return Response(content, media_type=media_type, headers=headers)

    return await service.work.run(answer, request.is_disconnected)


def _answers(service: Service, asked: BatchRequest) -> dict[str, Any]:
    """All answers, or the error of the first query that has none, and its number."""
    groups: dict[str, list[int]] = {}
    for number, query in enumerate(asked.queries):
        options = repr((query.release, query.options))
        groups.setdefault(options, []).append(number)
    found: dict[int, dict[str, Any]] = {}
    try:
        for numbers in groups.values():
            some = [asked.queries[number] for number in numbers]
            retriever = service.source.retriever(some[0].release)
            found |= zip(numbers, answer_together(some, retriever), strict=True)
    except InputError:
        for number, query in enumerate(asked.queries):
            try:
                query.answer(service.source.retriever(query.release))
            except InputError as error:
                error.where = ": ".join(filter(None, (f"queries[{number}]", error.where)))
                raise
        raise
    return {"answers": [found[number] for number in range(len(asked.queries))]}


def _ready(retriever: Retriever) -> dict[str, Any]:
    retriever.reader.find(Collection.SONGS, None, 1, payload=False)
    return {"live": True, "ready": True, "release": retriever.release}


def _about(service: Service, retriever: Retriever) -> dict[str, Any]:
    manifest = retriever.reader.manifest
    own = {field.name for field in manifest.fields}
    counted = counted_fields(manifest)
    return {
        "version": version("melon"),
        "store": service.source.store.location,
        "release": manifest.release,
        "created": manifest.created.isoformat(timespec="seconds"),
        "strategy": retriever.strategy,
        "strategies": list(retriever.strategies),
        "counts": {str(collection): count for collection, count in manifest.counts.items()},
        "fields": [
            {
                "name": field.name,
                "type": str(field.type),
                "own": field.name in own,
                "counted": field.name in counted,
            }
            for field in wanted_fields(manifest)
        ],
    }

"""The service answers what the command prints as `--json`, in the shape that it describes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from command_line import on, on_one_engine
from fastapi.testclient import TestClient
from places import Place
from pydantic import BaseModel
from service_samples import service_of

from melon.commands import lookup, query, similar
from melon.plots import map_of, save_map
from melon.service import answers, requests
from melon.store import VectorStore

QUESTIONS: list[tuple[str, dict[str, Any], list[str], type[BaseModel]]] = [
    (
        "query",
        {"title": "rainy day", "limit": 5},
        ["query", "--title", "rainy day", "--limit", "5"],
        answers.RecommendationAnswer,
    ),
    (
        "query",
        {"songs": ["3", "5"], "tags": ["rain", "raim"], "explain": True, "limit": 3},
        ["query", "-s", "3", "-s", "5", "-t", "rain", "-t", "raim", "--explain", "-n", "3"],
        answers.RecommendationAnswer,
    ),
    (
        "query",
        {
            "playlist": 7,
            "not_tags": ["party"],
            "since": "1990",
            "until": "2019-03",
            "min_popularity": 2,
            "where": ["popularity < 500"],
            "exclude_songs": ["9", "no such song"],
            "max_per_artist": 1,
            "diversity": 0.2,
            "title_weight": 2,
            "strategy": "hybrid",
        },
        [
            *("query", "--playlist", "7", "--not-tag", "party", "--since", "1990"),
            *("--until", "2019-03", "--min-popularity", "2", "--where", "popularity < 500"),
            *("--exclude", "9", "--exclude", "no such song", "--max-per-artist", "1"),
            *("--diversity", "0.2", "--title-weight", "2", "--strategy", "hybrid"),
        ],
        answers.RecommendationAnswer,
    ),
    ("query", {}, ["query"], answers.RecommendationAnswer),
    (
        "similar",
        {"tag": "rain", "to": ["songs", "tags", "playlists", "words"], "limit": 3},
        ["similar", "--tag", "rain", "--to", "songs,tags,playlists,words", "--limit", "3"],
        answers.SimilarAnswer,
    ),
    ("find", {"text": "a", "limit": 3}, ["find", "a", "--limit", "3"], answers.FoundAnswer),
    (
        "find",
        {"text": "비", "kinds": ["tags", "playlists"]},
        ["find", "비", "--kinds", "tags,playlists"],
        answers.FoundAnswer,
    ),
    ("show/song", {"what": "3"}, ["show", "song", "3"], answers.ShownAnswer),
    ("show/tag", {"what": "rain"}, ["show", "tag", "rain"], answers.ShownAnswer),
    (
        "show/playlist",
        {"what": "7", "limit": 2},
        ["show", "playlist", "7", "--limit", "2"],
        answers.ShownAnswer,
    ),
    ("list/tags", {"limit": 5}, ["list", "tags", "--limit", "5"], answers.ListAnswer),
    (
        "list/genres",
        {"prefix": "b", "limit": 1},
        ["list", "genres", "--prefix", "b", "--limit", "1"],
        answers.ListAnswer,
    ),
    ("list/artists", {"limit": 2}, ["list", "artists", "--limit", "2"], answers.ListAnswer),
    ("list/fields", {}, ["list", "fields"], answers.ListAnswer),
]


NOT_OF_A_QUESTION = {"settings", "strict", "url", "path", "as_json", "export"}
"""Options of a command that say which store is asked, or what is done with the answer."""


@pytest.mark.parametrize(
    ("command", "request_model"),
    [
        (query.query, requests.QueryRequest),
        (similar.similar, requests.SimilarRequest),
        (lookup.find, requests.FindRequest),
        (lookup.show, requests.ShowRequest),
        (lookup.list_, requests.ListRequest),
    ],
)
def test_what_the_command_can_ask_the_service_can(
    command: Callable[..., None], request_model: type[BaseModel]
) -> None:
    options = set(inspect.signature(command).parameters) - NOT_OF_A_QUESTION - {"kind", "as_csv"}
    plural = {
        **{name: f"{name}s" for name in ("genre", "not_genre", "artist", "not_artist")},
        "exclude": "exclude_songs",
    }
    asked = {plural.get(name, name) for name in options}
    assert asked <= set(request_model.model_fields), asked - set(request_model.model_fields)


@pytest.mark.parametrize(("path", "asked", "command", "shape"), QUESTIONS)
def test_an_answer_is_what_the_command_prints(
    service: TestClient,
    demo_place: Place,
    path: str,
    asked: dict[str, Any],
    command: list[str],
    shape: type[BaseModel],
) -> None:
    printed = on(demo_place)(*command, "--json").json()
    got = service.get(f"/api/v1/{path}", params=asked)
    assert got.status_code == 200, got.text
    assert got.json() == printed
    shape.model_validate(got.json(), strict=True)
    if path in ("query", "similar"):
        assert service.post(f"/api/v1/{path}", json=asked).json() == printed


@on_one_engine
def test_head_is_answered_as_get_without_the_body(service: TestClient) -> None:
    described = service.get("/api/openapi.json").json()["paths"]
    paths = [path for path, methods in described.items() if "get" in methods]
    assert len(paths) == 15
    pages = ("/", "/static/page.css", "/static/map.js", "/api/docs", "/api/docs/swagger-ui.css")
    asked = {"text": "rain", "what": "rain", "tag": "rain"}
    for path in [*paths, *pages, "/metrics", "/nowhere", "/api/v1/find?limit=0"]:
        url = path.replace("show/{kind}", "show/tag").replace("list/{kind}", "list/tags")
        known = described.get(path, {}).get("get", {}).get("parameters", [])
        some = {one["name"]: asked[one["name"]] for one in known if one["name"] in asked}
        there, alone = service.get(url, params=some), service.head(url, params=some)
        assert there.status_code == alone.status_code, url
        assert alone.content == b""
        if path != "/metrics":  # which has counted one more
            assert there.headers == alone.headers


def test_an_artist_is_shown_as_the_command_shows_them(
    service: TestClient, demo_place: Place
) -> None:
    [artist] = service.get("/api/v1/list/artists", params={"limit": 1}).json()["artists"]
    printed = on(demo_place)("show", "artist", artist["artist"], "--json").json()
    got = service.get("/api/v1/show/artist", params={"what": artist["artist"]}).json()
    assert got == printed
    answers.ShownAnswer.model_validate(got, strict=True)


def test_releases_are_those_that_the_command_lists(service: TestClient, demo_place: Place) -> None:
    got = service.get("/api/v1/releases").json()
    assert got == on(demo_place)("releases", "--json").json()
    answers.ReleaseAnswer.model_validate(got[0], strict=True)


def test_keys_and_own_fields_are_answered_and_constrained_by(
    keyed_service: TestClient, keyed_place: Place
) -> None:
    found = keyed_service.get("/api/v1/query", params={"tags": "rain", "limit": 3}).json()
    key = found["songs"][0]["key"]
    assert key
    asked = {"songs": [key], "where": ["bpm >= 110"], "explain": True}
    printed = on(keyed_place)(
        *("query", "--song", key, "--where", "bpm >= 110", "--explain", "--json")
    ).json()
    got = keyed_service.post("/api/v1/query", json=asked).json()
    assert got == printed
    answers.RecommendationAnswer.model_validate(got, strict=True)


def test_several_queries_are_answered_as_each_of_them(service: TestClient) -> None:
    queries: list[dict[str, Any]] = [
        {"title": "rainy day", "limit": 3},
        {"tags": ["rain"], "genres": ["Jazz"]},
        {"songs": [3], "limit": 3},
    ]
    got = service.post("/api/v1/queries", json={"queries": queries}).json()
    assert got["answers"] == [service.post("/api/v1/query", json=one).json() for one in queries]
    refused = service.post("/api/v1/queries", json={"queries": [*queries, {"genres": ["Jaz"]}]})
    assert refused.status_code == 400
    assert refused.json()["error"]["where"] == "queries[3]"


def test_playlists_are_listed_page_by_page(service: TestClient) -> None:
    every = service.get("/api/v1/playlists", params={"tags": "rain", "limit": 1000}).json()
    answers.PlaylistsAnswer.model_validate(every, strict=True)
    assert every["next"] is None
    assert every["total"] == len(every["playlists"]) > 3
    assert all("rain" in one["tags"] for one in every["playlists"])
    likes = [one["like_count"] for one in every["playlists"]]
    assert likes == sorted(likes, reverse=True)
    paged: list[dict[str, Any]] = []
    after = 0
    while after is not None:
        asked = {"tags": "rain", "limit": 3, "after": after}
        page = service.get("/api/v1/playlists", params=asked).json()
        assert page["total"] == every["total"]
        paged += page["playlists"]
        after = page["next"]
    assert paged == every["playlists"]


def test_every_page_that_is_proposed_is_answered(
    service: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last one, of those that can be listed, may be shorter."""
    monkeypatch.setattr("melon.retrieval.playlists.MAX_PLAYLISTS", 5)
    sizes, after = [], 0
    while after is not None:
        page = service.get("/api/v1/playlists", params={"limit": 3, "after": after}).json()
        sizes.append(len(page["playlists"]))
        after = page["next"]
    assert sizes == [3, 2]
    assert service.get("/api/v1/playlists", params={"after": 5}).status_code == 400


def test_facets_count_what_the_constraints_let_pass(service: TestClient) -> None:
    """Those of genres are the list's; under a constraint on genres, all that pass have it."""
    every = service.get("/api/v1/facets", params={"limit": 1000}).json()
    answers.FacetsAnswer.model_validate(every, strict=True)
    listed = service.get("/api/v1/list/genres", params={"limit": 1000}).json()["genres"]
    codes = {one["genre"]: one["songs"] for one in listed}
    assert every["facets"]["genres"]
    for one in every["facets"]["genres"]:
        assert codes[one["value"]] == one["songs"]
    jazz = service.get(
        "/api/v1/facets", params={"genres": "Jazz", "facets": ["genres", "artists"], "limit": 1000}
    ).json()
    assert 0 < jazz["total"] < every["total"]
    assert list(jazz["facets"]) == ["genres", "artists"]
    assert jazz["facets"]["genres"][0]["name"] == "Jazz"
    assert jazz["facets"]["genres"][0]["songs"] == jazz["total"]


def test_facets_know_the_catalogues_own_fields(keyed_service: TestClient) -> None:
    about = keyed_service.get("/api/v1/about").json()
    answers.AboutAnswer.model_validate(about, strict=True)
    own = {one["name"] for one in about["fields"] if one["own"] and one["counted"]}
    counted = keyed_service.get("/api/v1/facets").json()["facets"]
    assert own
    assert set(counted) == {"genres", "issue_year"} | own


def test_a_release_can_be_asked_by_its_name(service: TestClient) -> None:
    release = service.get("/health").json()["release"]
    about = service.get("/api/v1/about", params={"release": release})
    assert about.json() == service.get("/api/v1/about").json()
    assert service.get("/api/v1/about", params={"release": "r0"}).status_code == 404
    named = service.get("/api/v1/query", params={"tags": "rain", "release": release})
    assert named.json() == service.get("/api/v1/query", params={"tags": "rain"}).json()
    unknown = service.get("/api/v1/query", params={"tags": "rain", "release": "r0"})
    assert unknown.status_code == 404


def test_health_and_metrics_name_the_release(service: TestClient) -> None:
    for path in ("/health", "/health/ready", "/health/live"):
        got = service.get(path).json()
        assert got["live"]
        assert got["ready"]
    text = service.get("/metrics").text
    assert f'melon_release{{release="{got["release"]}"}} 1.0' in text
    assert 'melon_requests_total{route="/health/ready",status="200"}' in text
    assert 'melon_request_seconds_bucket{le="0.01",route="/health"}' in text


def test_names_of_ids_are_those_of_the_songs_and_playlists(keyed_service: TestClient) -> None:
    asked = {"songs": [3, 4, 3, 10**9, 10**30], "playlists": [7]}
    got = keyed_service.post("/api/v1/names", json=asked).json()
    assert keyed_service.get("/api/v1/names", params=asked).json() == got
    answers.NamesAnswer.model_validate(got, strict=True)
    assert [song["id"] for song in got["songs"]] == [3, 4]
    shown = keyed_service.get("/api/v1/show/song", params={"what": "demo:song:4"}).json()
    assert got["songs"][1] == {"id": 4, "key": "demo:song:4", "name": shown["name"]}
    assert got["playlists"][0]["key"] == "demo:list:7·💿"


@pytest.mark.parametrize("format", ["m3u8", "jspf", "csv", "json"])
def test_an_export_is_the_file_that_the_command_writes(
    keyed_service: TestClient, keyed_place: Place, tmp_path: Path, format: str
) -> None:
    asked = {"title": "rainy day", "limit": 3, "format": format}
    file = tmp_path / f"melon.{format}"
    query = ("query", "--title", "rainy day", "--limit", "3", "--export", str(file))
    assert on(keyed_place)(*query).code == 0
    got = keyed_service.get("/api/v1/export", params=asked)
    assert got.content == file.read_bytes()
    assert keyed_service.post("/api/v1/export", json=asked).content == got.content
    assert got.headers["content-disposition"] == f'attachment; filename="melon.{format}"'


def test_a_map_is_the_one_that_was_made_else_a_quick_one(
    service: TestClient, demo_store: VectorStore, tmp_path: Path
) -> None:
    quick = service.get("/api/v1/map").json()
    answers.MapAnswer.model_validate(quick, strict=True)
    assert quick["layout"] == "principal components"
    with closing(demo_store.open()) as reader:
        save_map(tmp_path, map_of(reader, places=100, quick=True))
    kept = service_of(demo_store, home=tmp_path).get("/api/v1/map").json()
    assert kept["layout"] == "t-SNE"
    assert len(kept["points"]["x"]) == 100

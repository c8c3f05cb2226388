"""What the service refuses, and what it says while it cannot answer."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from command_line import on_one_engine
from fastapi.testclient import TestClient
from gateways import listening
from service_samples import service_of

from melon.embedding import EmbeddingSpace
from melon.ingest import ingest
from melon.retrieval.retriever import MAX_NEAR
from melon.service import answers
from melon.service.asking import Limits
from melon.service.failures import Refused
from melon.service.guard import HEADERS, MAX_BODY
from melon.service.work import Work
from melon.settings import load_settings
from melon.store import VectorStore, open_store

QUERY = "/api/v1/query"


def refusal(response: httpx.Response, status: int) -> dict[str, str | None]:
    """What an answer of that status says; it has the shape of every error."""
    assert response.status_code == status, response.text
    answers.ErrorAnswer.model_validate(response.json(), strict=True)
    said: dict[str, str | None] = response.json()["error"]
    return said


@pytest.mark.parametrize(
    ("path", "asked", "status", "where", "what"),
    [
        ("query", {"songs": "no such song"}, 404, None, "there is no song named"),
        ("query", {"playlist": 10**6}, 404, None, "does not hold playlist"),
        ("query", {"genres": "Jaz"}, 400, None, "there is no genre 'Jaz'"),
        ("query", {"genre": "Jazz"}, 400, "genre", "there is nothing of this name"),
        ("query", {"title": ["rain", "dawn"]}, 400, "title", "it takes one value, and 2 are given"),
        ("query", {"limit": "many"}, 400, "limit", "input should be a valid integer"),
        ("query", {"limit": 10_001}, 400, "limit", "less than or equal to 10000"),
        ("query", {"limit": 1001, "order": "flow"}, 400, None, "limit is 1000 at most"),
        ("query", {"limit": 1001, "diversity": 0.5}, 400, None, "limit is 1000 at most"),
        ("query", {"since": "2015-13"}, 400, None, "2015-13"),
        ("query", {"tags": "rain", "not_tags": "rain"}, 400, None, "wanted and disliked"),
        ("query", {"title": ""}, 400, None, "the title is empty"),
        ("query", {"strategy": "luck"}, 400, "strategy", "input should be"),
        ("query", {"release": "r0"}, 404, None, "holds no release 'r0'"),
        ("query", {"release": "r" * 1000}, 404, None, "holds no release"),
        ("similar", {}, 400, None, "no item is given"),
        ("similar", {"tag": "no such tag"}, 404, None, "the store holds no tag"),
        ("find", {"text": " "}, 400, None, "nothing to look for"),
        ("find", {}, 400, "text", "field required"),
        ("show/song", {"what": "9999999"}, 404, None, "there is no song 9999999"),
        ("show/word", {"what": "rain"}, 400, "kind", "input should be"),
        ("list/tags", {"after": "no such tag"}, 400, None, "is not among the tags"),
        ("facets", {"facets": "tempo"}, 400, None, "the values of 'tempo' cannot be counted"),
    ],
)
@on_one_engine
def test_what_is_wrong_is_said_as_the_command_says_it(
    service: TestClient,
    path: str,
    asked: dict[str, Any],
    status: int,
    where: str | None,
    what: str,
) -> None:
    said = refusal(service.get(f"/api/v1/{path}", params=asked), status)
    assert what in str(said["what"])
    if where:
        assert where in str(said["where"])


@on_one_engine
@pytest.mark.parametrize(
    ("path", "asked", "where", "what"),
    [
        ("query", {"songs": [True]}, "songs[0]", "valid integer"),
        ("query", {"songs": [[1]]}, "songs[0]", "valid integer"),
        ("query", {"playlist": 1.5}, "playlist", "valid integer"),
        ("queries", {"queries": [{"limit": 200}] * 60}, None, "limit of 10000 at most"),
        ("queries", {"queries": [{"songs": [True]}]}, "queries[0].songs[0]", "valid integer"),
    ],
)
def test_what_is_wrong_in_json_is_said_with_its_place(
    service: TestClient, path: str, asked: dict[str, Any], where: str | None, what: str
) -> None:
    said = refusal(service.post(f"/api/v1/{path}", json=asked), 400)
    assert said["where"] == where
    assert what in str(said["what"])


@on_one_engine
def test_the_like_of_unknown_tags_is_looked_for_only_so_often(service: TestClient) -> None:
    """For each of the thousands that a query may have it would take minutes."""
    tags = [f"rain{number}" for number in range(3 * MAX_NEAR)]
    unknown = service.post(QUERY, json={"tags": tags}).json()["unknown"]
    assert unknown["tags"] == tags
    assert list(unknown["near"]["tags"]) == tags[:MAX_NEAR]


@on_one_engine
def test_what_is_no_question_is_refused(service: TestClient) -> None:
    for path in ("/nowhere", "/static/nowhere", "/api/docs/nowhere"):
        refusal(service.get(path), 404)
    for path in ("/static/page.js", "/static/map.js", "/api/docs"):
        refused = service.put(path)
        refusal(refused, 405)
        assert refused.headers["allow"] == "GET, HEAD"
    refused = service.delete(QUERY)
    refusal(refused, 405)
    assert refused.headers["allow"] == "GET, HEAD, POST"
    refusal(service.post(QUERY, content=b"{", headers={"content-type": "text/json"}), 400)
    json = {"content-type": "application/json"}
    said = refusal(service.post(QUERY, content=b'{"title":', headers=json), 400)
    assert "malformed JSON" in str(said["what"])
    assert said["where"] == "the body, line 1, byte 9"
    form = {"content-type": "application/x-www-form-urlencoded"}  # what curl --data says
    said = refusal(service.post(QUERY, content=b'{"title": "rain"}', headers=form), 400)
    assert "application/json" in str(said["hint"])
    refusal(service.post(QUERY, content=b'{"title": "\\ud800"}', headers=json), 400)
    refusal(service.post(QUERY, content=b" " * (MAX_BODY + 1), headers=json), 413)
    parts = iter([b" " * MAX_BODY, b" "])
    refusal(service.post(QUERY, content=parts, headers=json), 413)


@on_one_engine
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("query", '{"title": "rain", "limit": 1, "title": "dawn"}'),
        ("queries", '{"queries": [{"title": "rain", "title": "dawn"}]}'),
        ("export", '{"title": "rain", "title": "dawn"}'),
        ("similar", '{"title": "rain", "title": "dawn"}'),
    ],
)
def test_what_json_says_twice_is_refused(service: TestClient, path: str, body: str) -> None:
    """Decoders keep the last of a repeated key, and so ignore the others."""
    json = {"content-type": "application/json; charset=utf-8"}
    said = refusal(service.post(f"/api/v1/{path}", content=body, headers=json), 400)
    assert "the key 'title' is repeated" in str(said["what"])


@on_one_engine
@pytest.mark.parametrize("path", ["query", "queries", "export", "similar", "names"])
def test_what_a_post_says_in_its_url_is_refused(service: TestClient, path: str) -> None:
    """A constraint there would be ignored, and the search wider."""
    asked = {"queries": [{"title": "rain"}]} if path == "queries" else {}
    said = refusal(service.post(f"/api/v1/{path}?genres=Jazz", json=asked), 400)
    assert said["where"] == "the URL"


@on_one_engine
@pytest.mark.parametrize("path", ["query?tags=rain", "about", "releases"])
def test_what_a_get_says_in_its_body_is_refused(service: TestClient, path: str) -> None:
    said = refusal(service.request("GET", f"/api/v1/{path}", json={"genres": ["Jazz"]}), 400)
    assert said["where"] == "the body"


@on_one_engine
def test_what_asks_nothing_takes_no_parameters(service: TestClient) -> None:
    said = refusal(service.get("/api/v1/releases", params={"release": "r0"}), 400)
    assert said["where"] == "release"


@on_one_engine
@pytest.mark.parametrize(
    "path", ["find", "show/tag", "names", "list/tags", "playlists", "map", "about"]
)
def test_what_a_url_says_twice_is_refused(service: TestClient, path: str) -> None:
    asked = {"release": ["a", "b"], "text": "rain", "what": "rain"}
    said = refusal(service.get(f"/api/v1/{path}", params=asked), 400)
    assert said["where"] == "release"


@on_one_engine
def test_pages_from_elsewhere_cannot_ask_through_a_browser(service: TestClient) -> None:
    """A name of theirs that points here is not this machine's; nor may their scripts ask it."""
    refusal(service.get(QUERY, headers={"host": "melon.example"}), 421)
    refusal(service.get(QUERY, headers={"host": "127.0.0.1.melon.example"}), 421)
    refusal(service.get(QUERY, headers={"host": ""}), 421)
    refusal(service.get(QUERY, headers={"origin": "http://melon.example"}), 403)
    refusal(service.get(QUERY, headers={"origin": "null"}), 403)
    refusal(service.get(QUERY, headers={"origin": "http://[::1"}), 403)
    refusal(service.get(QUERY, headers={"sec-fetch-site": "cross-site"}), 403)
    for host in ("127.0.0.1:8000", "localhost:8000", "[::1]:8000"):
        asked = service.get("/", headers={"host": host, "origin": f"http://{host}"})
        assert asked.status_code == 200
    linked = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert service.get("/", headers=linked).status_code == 200
    assert "access-control-allow-origin" not in service.get(QUERY, headers=linked).headers


@on_one_engine
def test_with_a_key_who_has_it_may_ask_by_any_name(demo_store: VectorStore) -> None:
    keyed = service_of(demo_store, key="s3cret")
    host = {"host": "melon.example"}
    for path in (QUERY, "/metrics", "/api/v1/about"):
        for wrong in ({}, {"authorization": "Bearer s3cre"}, {"authorization": "Basic s3cret"}):
            refused = keyed.get(path, headers=host | wrong)
            assert "s3cret" not in refused.text
            refusal(refused, 401)
            assert refused.headers["www-authenticate"] == "Bearer"
        right = keyed.get(path, headers=host | {"authorization": "Bearer s3cret"})
        assert right.status_code == 200
    for path in ("/", "/health", "/api/docs", "/api/openapi.json"):  # nothing of the catalogue
        assert keyed.get(path, headers=host).status_code == 200


@on_one_engine
def test_every_answer_bears_what_browsers_heed(service: TestClient) -> None:
    for path in ("/", QUERY, "/nowhere", "/static/page.css"):
        headers = service.get(path).headers
        assert {name: headers[name] for name in HEADERS} == HEADERS
    refused = service.get(QUERY, headers={"host": "melon.example"}).headers
    assert {name: refused[name] for name in HEADERS} == HEADERS


@on_one_engine
def test_swagger_ui_is_served_from_here_alone(service: TestClient) -> None:
    page = service.get("/api/docs")
    assert "script-src 'self';" in page.headers["content-security-policy"]
    assert "http" not in page.text
    for name in ("docs/swagger-ui.css", "docs/swagger-ui-bundle.js", "docs/start.js"):
        assert name in page.text
        packed = service.get(f"/api/{name}")
        assert packed.status_code == 200
        plain = service.get(f"/api/{name}", headers={"accept-encoding": "identity"})
        assert plain.content == packed.content
        assert "content-encoding" not in plain.headers


def test_an_empty_store_is_answered_from_once_it_has_a_release(
    tmp_path: Path, demo_space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("melon.service.source.RETRY_SECONDS", 0.0)
    with open_store(load_settings({}), path=tmp_path / "store") as store:
        service = service_of(store)
        for path in (QUERY, "/health", "/health/ready"):
            waiting = service.get(path)
            assert "there is no store" in str(refusal(waiting, 503)["what"])
            assert waiting.headers["retry-after"] == "1"
        assert service.get("/").status_code == 200
        assert service.get("/health/live").json() == {"live": True, "ready": False, "release": None}
        with open_store(load_settings({}), path=tmp_path / "store") as writer:
            ingest(demo_space, writer)
        assert service.get(QUERY).status_code == 200


def test_a_store_that_is_away_or_silent_is_said_in_time() -> None:
    """Nobody listens, or somebody who never answers: neither is waited for."""
    settings = load_settings({"MELON_QDRANT_TIMEOUT": "1"})
    limits = Limits(threads=1, queue=2, seconds=1.5)
    with open_store(settings, url="http://127.0.0.1:9") as store:
        refusal(service_of(store, limits=limits).get("/health"), 503)
    over = threading.Event()
    with listening(lambda _: over.wait(30) and None) as url, open_store(settings, url=url) as store:
        service = service_of(store, limits=limits)
        began = time.monotonic()
        for _ in range(2):
            answer = service.get(QUERY)
            assert refusal(answer, answer.status_code)
            assert answer.status_code in (503, 504)
            assert answer.headers["retry-after"]
        assert time.monotonic() - began < 20
        over.set()


async def here() -> bool:
    return False


def test_no_more_than_so_many_requests_wait_and_the_first_is_first() -> None:
    async def ask_all() -> None:
        work = Work(threads=1, queue=2, seconds=30)
        begun, go = threading.Event(), threading.Event()
        order: list[int] = []

        def slow() -> None:
            begun.set()
            go.wait(30)

        first = asyncio.create_task(work.run(slow, here))
        await asyncio.to_thread(begun.wait, 30)
        waiting = [asyncio.create_task(work.run(lambda n=n: order.append(n), here)) for n in (1, 2)]
        await asyncio.sleep(0)
        with pytest.raises(Refused) as refused:
            await work.run(lambda: None, here)
        assert refused.value.status == 503
        go.set()
        await asyncio.gather(first, *waiting)
        assert order == [1, 2]

    asyncio.run(ask_all())


def test_a_late_answer_keeps_its_thread_and_not_its_asker() -> None:
    async def ask_late() -> None:
        work = Work(threads=1, queue=2, seconds=0.2)
        go = threading.Event()
        for _ in range(2):  # the second waits behind the first, which goes on
            with pytest.raises(Refused) as refused:
                await work.run(lambda: go.wait(30), here)
            assert refused.value.status == 504
        assert work.waiting == 0
        go.set()
        while True:
            try:
                assert await work.run(lambda: 7, here) == 7
                break
            except Refused:  # the machine is slow
                pass

    asyncio.run(ask_late())


def test_what_nobody_waits_for_is_not_begun() -> None:
    async def ask_and_go() -> None:
        work = Work(threads=1, queue=2, seconds=30)

        async def gone() -> bool:
            return True

        begun: list[int] = []
        with pytest.raises(Refused):
            await work.run(lambda: begun.append(1), gone)
        assert await work.run(lambda: begun, here) == []

    asyncio.run(ask_and_go())

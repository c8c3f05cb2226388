"""What the description of the API allows is answered in its words: no 5xx, and in time.

`MELON_TEST_EXAMPLES=500 pytest tests/service/test_schema.py` asks more of every route.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.specs.openapi.checks import positive_data_acceptance

EXAMPLES = int(os.environ.get("MELON_TEST_EXAMPLES", "5"))
LOCAL = {"Host": "localhost"}
PHASES = (Phase.explicit, Phase.generate)
"""A failure is not made smaller: where an answer is late, that would take minutes."""

NAMES = ("release", "playlist", "genres", "all_genres", "artists", "where", "since", "until")
"""What a store has to know, or that has a form of its own: nearly every other text is refused."""


def known(asked: Any) -> None:
    """Leave out what a store would not know."""
    for part in asked.get("queries", [asked]) if isinstance(asked, dict) else ():
        if isinstance(part, dict):
            for name in NAMES:
                part.pop(name, None)


@pytest.mark.parametrize("all_of_it", [True, False], ids=["as it is", "with known names"])
def test_every_route_answers_as_it_is_described(service: TestClient, all_of_it: bool) -> None:
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", service.app, headers=LOCAL)
    answered: Counter[int] = Counter()
    for found in schema.get_all_operations():
        operation = found.ok()

        @given(case=operation.as_strategy())
        @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), phases=PHASES)
        def ask(case: Case) -> None:
            if not all_of_it:
                known(case.query)
                known(case.body)
            response = case.call(headers=LOCAL)
            assert response.status_code < 500, response.text
            # What a text may be, such as a genre, is more than a schema says.
            case.validate_response(response, excluded_checks=[positive_data_acceptance])
            answered[response.status_code] += 1

        ask()
    assert set(answered) <= {200, 400, 404}
    assert answered[200] > 10


def test_what_the_description_proposes_is_answered(service: TestClient) -> None:
    """As Swagger UI sends it; and no status is described that is never given."""
    described = service.get("/api/openapi.json", headers=LOCAL).json()
    assert "HTTPValidationError" not in described["components"]["schemas"]
    proposed = 0
    for path, operations in described["paths"].items():
        if "post" in operations:
            [content] = operations["post"]["requestBody"]["content"].values()
            response = service.post(path, json=content["example"], headers=LOCAL)
            assert response.status_code == 200, response.text
            proposed += 1
        assert all("422" not in operation["responses"] for operation in operations.values())
    assert proposed == 5


def test_a_body_of_another_type_is_told_from_one_that_is_no_object(service: TestClient) -> None:
    for body, kind, said in (
        (b"{}", "application/x-www-form-urlencoded", "sent as application/x-www-form-urlencoded"),
        (b"{}", "", "sent as no type"),
        (b"[]", "application/json", "is no JSON object"),
    ):
        headers = LOCAL | {"Content-Type": kind}
        response = service.post("/api/v1/query", content=body, headers=headers)
        assert response.status_code == 400
        assert said in response.json()["error"]["what"]

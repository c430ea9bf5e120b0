"""What the API says of itself: /openapi.json, and the declarations of handlers that it is made from."""

import re

import httpx
import orjson
import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from server.api.documents import HEADERS
from server.openapi import Described
from tests.api.exchange import Json, id_of, operations
from tests.support import ServerProcess

OPERATIONS = operations()

each_operation = pytest.mark.parametrize("each", OPERATIONS, ids=lambda each: f"{each.method} {each.path}")


@pytest.fixture(scope="session")
def document(server: ServerProcess) -> Json:
    answer = httpx.get(f"{server.url}/openapi.json", verify=False)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    return dict(answer.json())


def test_the_document_is_openapi_3_1(document: Json) -> None:
    assert document["openapi"].startswith("3.1.")
    validate(document)


def test_the_document_has_every_operation_there_is_and_no_other(document: Json) -> None:
    told = {(path, method.upper()) for path, item in document["paths"].items() for method in item}
    assert told == {(each.path, each.method) for each in OPERATIONS}


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [each.operation.name for each in OPERATIONS]
    assert len(set(names)) == len(names)


@each_operation
def test_an_operation_says_what_it_does(each: Described) -> None:
    said = each.operation
    assert re.fullmatch(r"[A-Z][^\n]{3,80}[^.\n]", said.summary), "the first line of the docstring is a short sentence"
    assert set(said.takes) | set(said.sends) <= HEADERS.keys(), "each is described in server/api/documents.py"
    assert any(200 <= status < 300 for status in said.answers)


def shape(value: object) -> object:
    """Of JSON, its fields; what a field holds may be another value, or none."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items() if isinstance(part, dict | list)} | {"": set(value)}
    return [shape(part) for part in value[:1]] if isinstance(value, list) else None


@pytest.mark.parametrize("each", [each for each in OPERATIONS if each.operation.body], ids=lambda each: each.path)
def test_an_example_is_taken_and_answered_as_it_stands_there(
    api: httpx.Client, document: Json, each: Described
) -> None:
    said = document["paths"][each.path][each.method.lower()]
    path = each.path.removeprefix("/v1")
    address = path.replace("{id}", id_of(path, api)) if "{id}" in path else path
    ((kind, sent),) = said["requestBody"]["content"].items()
    example = sent["example"]
    if "url" in example:  # of a webhook, whose host is looked up
        example = {**example, "url": "https://127.0.0.77/told"}
    content = example.encode() if isinstance(example, str) else orjson.dumps(example)
    answer = api.request(each.method, address, content=content, headers={"content-type": kind})
    assert str(answer.status_code) == next(iter(said["responses"])), answer.text
    media = said["responses"][str(answer.status_code)]["content"][answer.headers["content-type"].partition(";")[0]]
    if "example" in media:
        OAS31Validator(media["schema"] | {"components": document["components"]}).validate(answer.json())
        assert shape(answer.json()) == shape(media["example"])


@each_operation
def test_every_body_and_answer_has_an_example_that_fits_it(document: Json, each: Described) -> None:
    operation = document["paths"][each.path][each.method.lower()]
    media = [operation["requestBody"]] if "requestBody" in operation else []
    for content in (said["content"] for said in [*media, *operation["responses"].values()] if "content" in said):
        for name, said in content.items():
            if name.endswith(("/json", "+json")):
                OAS31Validator(said["schema"] | {"components": document["components"]}).validate(said["example"])

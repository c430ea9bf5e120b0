"""What an HTTP API says of itself: each handler is declared with what it takes and answers, and the declarations of all
routes become one OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.1.html).

A handler is declared where it is written:

    @operation(body=LinkCreate, answers={201: LinkAnswer}, sends=["Location"], refusals=[SlugTaken])
    async def create_link(request: Request, account: Account) -> Response:
        \"""Create a link.

        What else there is to know, if there is.
        \"""

Its name is the operation's id, and so that of a method in generated clients: a verb and what it is about. The first
line of the docstring is the summary, the rest the description. Path, method and permission are in the route table, and
nowhere else; what any handler may refuse (no key, a wrong body ...) follows from these. A body and a query are pydantic
models, an answer is a TypedDict of typing_extensions, a File or None; bodies and answers have an example, by `shown`,
and what stands as `#:` above a field describes it.
Headers are named; what they are is said in server/api/documents.py. tests/api/test_documents.py walks all of it.
"""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from inspect import getdoc, getsource
from typing import Any, NamedTuple, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema
from starlette.routing import Route

from server.wire import ByMethod

H = TypeVar("H", bound=Callable[..., object])

# JSON of any shape; what stands in it is for its reader to know.
Json = dict[str, Any]

REF = "#/components/schemas/{model}"

#: What the names of wire models have that no client has to know.
SUFFIX = re.compile(r"(Answer|Body)$")

#: In a path.
PARAMETER = re.compile(r"\{(\w+)\}")

# The lines of a module that notes on fields are read from. A TypedDict may be a call, as `from` is a keyword.
CLASS = re.compile(r"class (\w+)|(\w+) = TypedDict\(")
NOTE = re.compile(r" +#: (.*)")
FIELD = re.compile(r' +"?(\w+)"?:')


# --- declarations -------------------------------------------------------------------------------------------------


class File:
    """A body or an answer that is no JSON: bytes of one of these media types. A body has an example, in text."""

    def __init__(self, *types: str, example: str | None = None) -> None:
        shown = {} if example is None else {"example": example}
        # 3.1 would leave `format` out, but generators of clients know it from 3.0.
        self.content: Json = {name: {"schema": {"type": "string", "format": "binary"}, **shown} for name in types}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What a handler takes and answers."""

    name: str
    summary: str
    description: str
    body: type[BaseModel] | File | None
    query: type[BaseModel] | None
    #: Headers that it reads.
    takes: Sequence[str]
    #: By status: the type that the JSON has, a File, or None where there is nothing in it.
    answers: Mapping[int, object]
    #: Headers that its answers have.
    sends: Sequence[str]
    #: Errors of its own, besides those that any handler may raise.
    refusals: Sequence[type[Exception]]
    #: What a key has to have; None where none is needed.
    permission: str | None = None


def operation(
    *,
    answers: Mapping[int, object],
    body: type[BaseModel] | File | None = None,
    query: type[BaseModel] | None = None,
    takes: Sequence[str] = (),
    sends: Sequence[str] = (),
    refusals: Sequence[type[Exception]] = (),
) -> Callable[[H], H]:
    """Declares a handler."""

    def of(handler: H) -> H:
        summary, _, description = (getdoc(handler) or "").partition("\n")
        return declare(
            handler,
            Operation(
                name=handler.__name__,
                summary=summary.removesuffix("."),
                description=description.strip(),
                body=body,
                query=query,
                takes=takes,
                answers=answers,
                sends=sends,
                refusals=refusals,
            ),
        )

    return of


def declare(handler: H, operation: Operation) -> H:
    vars(handler)["operation"] = operation
    return handler


def is_declared(handler: Callable[..., object]) -> bool:
    return "operation" in vars(handler)


def declared(handler: Callable[..., object]) -> Operation:
    found = vars(handler).get("operation")
    assert isinstance(found, Operation), f"{handler.__qualname__} lacks its @operation; see server/openapi.py"
    return found


def shown(example: Json) -> ConfigDict:
    """The configuration of a wire model with an example of it: `model_config = shown({...})` in a pydantic model,
    `@with_config(shown({...}))` above a TypedDict."""
    return ConfigDict(json_schema_extra={"examples": [example]})


# --- routes -------------------------------------------------------------------------------------------------------


class Described(NamedTuple):
    path: str
    method: str
    operation: Operation


def described(routes: Iterable[Route], under: str = "") -> Iterator[Described]:
    """Every operation of a route table; HEAD goes without saying."""
    for route in routes:
        handlers = route.endpoint.handlers if isinstance(route.endpoint, ByMethod) else {"GET": route.endpoint}
        for method, handler in handlers.items():
            if method != "HEAD":
                yield Described(under + route.path, method, declared(handler))


# --- the document -------------------------------------------------------------------------------------------------


class Refusal(NamedTuple):
    description: str
    headers: Sequence[str]
    example: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a document says that its operations do not."""

    #: `info`, `servers` and so on, as they are.
    members: Json
    tag: Callable[[str], str]
    #: By name, in `components`: the headers that operations take and send, and how keys are shown.
    headers: Mapping[str, Json]
    security: Mapping[str, Json]
    #: The members of a parameter in the path, by the path and its name.
    in_path: Callable[[str, str], Json]
    #: The body of every refusal, and what it is sent as; and by status, those of an operation.
    problem: type
    problem_type: str = "application/problem+json"
    refusals: Callable[[Described], Mapping[int, Refusal]]


def document(operations: Sequence[Described], about: About) -> Json:
    media, components = _media(operations, about.problem)
    paths: Json = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, about, media)
    return {
        "openapi": "3.1.0",
        **about.members,
        "tags": [{"name": name} for name in dict.fromkeys(about.tag(each.path) for each in operations)],
        "paths": paths,
        "components": {
            "schemas": components,
            "headers": {name: dict(header) for name, header in about.headers.items()},
            "securitySchemes": dict(about.security),
        },
    }


def _operation(each: Described, about: About, media: Mapping[object, Json]) -> Json:
    said = each.operation
    answers = {str(status): _answer(answer, each, about, media) for status, answer in said.answers.items()}
    for status, refusal in sorted(about.refusals(each).items()):
        answers[str(status)] = _refusal(refusal, about.problem_type, media[about.problem])
    found: Json = {"operationId": said.name, "tags": [about.tag(each.path)], "summary": said.summary}
    if said.description:
        found["description"] = said.description
    found["security"] = [{name: []} for name in about.security] if said.permission else []
    if said.permission:
        found["x-permission"] = said.permission
    if parameters := list(_parameters(each, about)):
        found["parameters"] = parameters
    if said.body:
        content = said.body.content if isinstance(said.body, File) else {"application/json": media[said.body]}
        found["requestBody"] = {"required": True, "content": content}
    return found | {"responses": answers}


def _parameters(each: Described, about: About) -> Iterator[Json]:
    for name in PARAMETER.findall(each.path):
        yield {"name": name, "in": "path", "required": True, **about.in_path(each.path, name)}
    for name in each.operation.takes:
        yield {"name": name, "in": "header", "required": False, **about.headers[name]}
    if each.operation.query:
        schema = _schema(each.operation.query)
        for name, part in schema["properties"].items():
            told = {"description": part.pop("description")} if "description" in part else {}
            part = _never_null(part)
            yield {"name": name, "in": "query", "required": name in schema.get("required", ()), **told, "schema": part}


def _never_null(part: Json) -> Json:
    """The schema of a parameter of a query: one that is not given is not there, and nothing that is said there is
    null."""
    kinds = [kind for kind in part.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return part
    rest = {name: value for name, value in part.items() if name not in ("anyOf", "default") or value is not None}
    rest.pop("anyOf")
    return {**kinds[0], **rest}


def _answer(answer: object, each: Described, about: About, media: Mapping[object, Json]) -> Json:
    found: Json = {"description": each.operation.summary}
    if headers := _headers(each.operation.sends):
        found["headers"] = headers
    if isinstance(answer, File):
        found["content"] = answer.content
    elif answer is not None:
        found["content"] = {"application/json": media[answer]}
    return found


def _refusal(refusal: Refusal, media_type: str, problem: Json) -> Json:
    found: Json = {"description": refusal.description}
    if headers := _headers(refusal.headers):
        found["headers"] = headers
    return found | {"content": {media_type: {**problem, "example": refusal.example}}}


def _headers(names: Iterable[str]) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


# --- schemas ------------------------------------------------------------------------------------------------------


class _Schemas(GenerateJsonSchema):
    """As pydantic makes them, but in the words of clients, and without what says nothing."""

    def normalize_name(self, name: str) -> str:
        return SUFFIX.sub("", super().normalize_name(name))

    def sort(self, value: Json, parent_key: str | None = None) -> Json:
        return value  # examples keep their order, too

    def field_title_should_be_set(self, schema: object) -> bool:
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> Json:
        return _with_notes(super().model_schema(schema), schema["cls"])

    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> Json:
        return _with_notes(super().typed_dict_schema(schema), schema["cls"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> Json:
        if schema.get("default") is None:  # it may be left out, which is said already
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)

    def encode_default(self, dft: object) -> object:
        """As a request would say it. A part that has only defaults is {}."""
        if isinstance(dft, BaseModel):
            return {}
        return dft if type(dft) in (bool, int, float, list) else [] if dft == () else str(dft)


def _media(operations: Sequence[Described], problem: type) -> tuple[dict[object, Json], Json]:
    """The schema and the example of each body and answer; and the schemas that these refer to."""
    kinds: list[Any] = [problem]
    for each in (described.operation for described in operations):
        kinds += [kind for kind in (each.body, *each.answers.values()) if kind and not isinstance(kind, File)]
    components: Json = {}
    for kind in kinds:
        schema = _schema(kind)
        for name, each_schema in {**schema.pop("$defs", {}), _name(kind): schema}.items():
            assert components.setdefault(name, each_schema) == each_schema, f"two wire models are called {name}"
    for schema in components.values():
        del schema["title"]  # it is what the component is called, or was
    for each in (described.operation for described in operations if described.method == "PATCH"):
        for part in components[_name(each.body)]["properties"].values():
            part.pop("default", None)  # what is absent stays as it is
    return {kind: _with_example(_name(kind), components) for kind in kinds}, dict(sorted(components.items()))


def _schema(kind: Any) -> Json:  # noqa: ANN401 -- whatever pydantic has a schema for
    # As JSON that is read, answers too: what a validator turns into a value of the domain is told by what it takes.
    return TypeAdapter[object](kind).json_schema(
        mode="validation", ref_template=REF, union_format="primitive_type_array", schema_generator=_Schemas
    )


def _with_notes(schema: Json, kind: type) -> Json:
    notes = _notes(kind)
    for name, part in schema["properties"].items():
        if name in notes:
            part.setdefault("description", notes[name])
    return schema


def _notes(kind: type) -> dict[str, str]:
    """What stands as `#:` above the fields of a class, and of those it is made of."""
    found: dict[str, str] = {}
    for base in getattr(kind, "__orig_bases__", kind.__bases__):
        if isinstance(base, type) and base.__module__.startswith("server."):
            found |= _notes(base)
    return found | _notes_in(kind.__module__).get(kind.__name__, {})


@cache
def _notes_in(module: str) -> dict[str, dict[str, str]]:
    """By class and field, all that stands in a module."""
    found: dict[str, dict[str, str]] = {}
    fields: dict[str, str] = {}
    note: list[str] = []
    for line in getsource(sys.modules[module]).splitlines():
        if begins := CLASS.match(line):
            found[begins[1] or begins[2]] = fields = {}
        elif told := NOTE.match(line):
            note.append(told[1])
        elif note:
            if named := FIELD.match(line):
                fields[named[1]] = " ".join(note)
            note = []
    return found


def _name(kind: Any) -> str:  # noqa: ANN401 -- as above
    """LinkAnswer is a Link, PageAnswer[LinkAnswer] a LinkPage."""
    return "".join(_Schemas().normalize_name(each.__name__) for each in (*get_args(kind), get_origin(kind) or kind))


def _with_example(name: str, components: Json) -> Json:
    schema = {"$ref": REF.format(model=name)}
    return {"schema": schema, "example": _example(schema, components)}


def _example(schema: Json, components: Json) -> object:
    """Its own example, or one that is made from those of its parts; null where these have none."""
    if "$ref" in schema:
        return _example(components[schema["$ref"].rpartition("/")[2]], components)
    if "examples" in schema:
        return schema["examples"][0]
    if "anyOf" in schema:
        return _example(schema["anyOf"][0], components)
    if "items" in schema:
        return [_example(schema["items"], components)]
    if "properties" in schema:
        return {name: _example(part, components) for name, part in schema["properties"].items()}
    return None

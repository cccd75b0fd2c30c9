"""Requests that the API's own description calls complete, with the ids of things that exist wherever it names one."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

from msgspec import Struct

from mutx.server.openapi import DescribedApi

Json = dict[str, Any]
METHODS = ("get", "post", "put", "patch", "delete")
EXAMPLE: Mapping[str, Any] = {
    "integer": 1,
    "number": 1.0,
    "boolean": True,
    "object": {},
    "null": None,
}


class Described(Struct, frozen=True):
    """One operation as OpenAPI describes it."""

    name: str
    method: str
    path: str
    spec: Json
    schemas: Mapping[str, Json]

    @property
    def scope(self) -> str:
        return str(self.spec["x-scope"])

    @property
    def stream(self) -> bool:
        return "text/event-stream" in str(self.spec["responses"].get("200", {}).get("content", {}))

    def parameters(self, place: str) -> list[Json]:
        return [p for p in self.spec.get("parameters", ()) if p["in"] == place]

    @property
    def body(self) -> Json | None:
        """The schema of a request's body."""
        content = self.spec.get("requestBody", {}).get("content", {})
        return content.get("application/json", {}).get("schema")

    def request(self, known: Mapping[str, Any]) -> "Request":
        """Complete, and naming a known thing wherever a field is called as in `known`."""
        named: dict[str, str] = {}
        path = self.path
        for parameter in self.parameters("path"):
            value = known.get(parameter["name"], str(uuid4()))
            named[parameter["name"]] = str(value)
            path = path.replace("{%s}" % parameter["name"], str(value))  # noqa: UP031 - braces
        query = {}
        for parameter in self.parameters("query"):
            if parameter["name"] in known:
                query[parameter["name"]] = named[parameter["name"]] = str(known[parameter["name"]])
            elif parameter.get("required"):
                query[parameter["name"]] = _example(parameter["schema"], self.schemas, known, named)
        body = None if self.body is None else _example(self.body, self.schemas, known, named)
        return Request(self.method.upper(), path, query, body, named)


class Request(Struct, frozen=True):
    method: str
    path: str
    query: Json
    body: Any
    named: Mapping[str, str]
    """What of the known things it names: field -> id."""


def described() -> Iterator[Described]:
    """Every operation, in the order of the description."""
    spec = DescribedApi().openapi()
    schemas = spec["components"]["schemas"]
    for path, item in spec["paths"].items():
        for method in METHODS:
            if method in item:
                yield Described(item[method]["operationId"], method, path, item[method], schemas)


def _example(schema: Json, schemas: Mapping[str, Json], known: Mapping[str, Any], named: dict[str, str]) -> Any:
    schema = _resolved(schema, schemas)
    if "default" in schema and "properties" not in schema:
        return schema["default"]
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    kind = schema.get("type")
    if kind == "object" and "properties" in schema:
        return _object(schema, schemas, known, named)
    if kind == "array":
        wanted = max(1, schema.get("minItems", 0))
        return [_example(schema["items"], schemas, known, named) for _ in range(wanted)]
    if kind == "string":
        return _text(schema)
    return EXAMPLE.get(str(kind), {})


def _object(schema: Json, schemas: Mapping[str, Json], known: Mapping[str, Any], named: dict[str, str]) -> Json:
    """All that is required, and all that names something known."""
    made: Json = {}
    for name, inner in schema["properties"].items():
        if name in known:
            made[name] = known[name]
            named[name] = str(known[name])
        elif name in schema.get("required", ()):
            made[name] = _example(inner, schemas, known, named)
    return made


def _resolved(schema: Json, schemas: Mapping[str, Json]) -> Json:
    while True:
        if "$ref" in schema:
            schema = schemas[schema["$ref"].rpartition("/")[2]]
        elif "anyOf" in schema:
            schema = schema["anyOf"][0]
        else:
            return schema


def _text(schema: Json) -> str:
    if schema.get("format") == "uuid":
        return str(uuid4())
    if schema.get("format") == "date-time":
        return "2026-01-01T00:00:00Z"
    if "@" in schema.get("pattern", ""):
        return "eve@example.org"
    if "(read|act|write|admin)" in schema.get("pattern", ""):
        return "read"
    return "x" * max(1, schema.get("minLength", 1))

"""The OpenAPI description, the same bytes for the same contract: `python -m mutx.server.openapi`."""

import json
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.telemetry import TelemetryConfig
from pydantic import BaseModel

from mutx.contract.base import Problem
from mutx.contract.field_docs import field_docs
from mutx.contract.operation import by_name
from mutx.contract.registry import FAMILIES
from mutx.server.routers import ROUTERS
from mutx.web import answers, problems
from mutx.web.signposts import Signposts

TITLE = "MUTX"
VERSION = "1"
"""Of the API, in every path; the package has its own."""

DESCRIPTION = (
    "A control plane for AI agents: every tool call decided before it runs, every decision provable afterwards."
)

UNTOLD: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
"""The middleware traces and counts every request already; FastAPI would do so once more where a provider is set."""

SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An access token, or an API key."},
    "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


class DescribedApi(FastAPI):
    """FastAPI with MUTX's routes, errors and security schemes; the server adds middleware and services."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(
            title=TITLE, version=VERSION, description=DESCRIPTION, redirect_slashes=False, telemetry=UNTOLD, **settings
        )
        for router in ROUTERS:
            self.include_router(router)
        known = [context.original_route for context in iter_route_contexts(self.routes)]
        self.routes.insert(0, Signposts(route for route in known if isinstance(route, APIRoute)))
        problems.install(self)

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            described = super().openapi()
            parts = described.setdefault("components", {})
            parts["securitySchemes"] = SECURITY_SCHEMES
            parts["responses"] = answers.described()
            parts.setdefault("schemas", {})["Problem"] = Problem.model_json_schema()
            _document_errors(described["paths"])
            _document_fields(parts["schemas"])
            self.openapi_schema = described
        return self.openapi_schema


def _document_errors(paths: dict[str, Any]) -> None:
    """Beside its own answer, an operation lists every error that it may give; nothing else comes back."""
    known = by_name(FAMILIES)
    for methods in paths.values():
        for described in methods.values():
            operation = known[described["operationId"]]
            own = {status: answer for status, answer in described["responses"].items() if status != "default"}
            if operation.media_type.endswith("+json"):  # handed on as text, and read as what it is
                own[str(operation.status)]["content"] = {operation.media_type: {"schema": {"type": "object"}}}
            errors = {str(status): answers.reference(status) for status in answers.errors_of(operation)}
            described["responses"] = own | errors


def _document_fields(schemas: dict[str, Any]) -> None:
    """A shape that is read and written differently stands there twice, as NAME-Input and NAME-Output."""
    models = {model.__name__: model for model in _models(BaseModel)}
    for name, schema in schemas.items():
        model = models.get(name.removesuffix("-Input").removesuffix("-Output"))
        for field, text in field_docs(model).items() if model else ():
            if field in schema.get("properties", {}):
                schema["properties"][field].setdefault("description", text)


def _models(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for model in base.__subclasses__():
        if model.__module__.startswith("mutx.contract."):
            yield model
        yield from _models(model)


def main() -> None:
    print(json.dumps(DescribedApi().openapi(), indent=2, sort_keys=True, ensure_ascii=False))


if __name__ == "__main__":
    main()

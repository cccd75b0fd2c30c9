"""The OpenAPI description, the same bytes for the same contract: `python -m mutx.server.openapi`."""

import json
from typing import Any

from fastapi import FastAPI

from mutx.server.routers import ROUTERS
from mutx.web import problems

TITLE = "MUTX"
VERSION = "1"
"""Of the API, in every path; the package has its own."""

DESCRIPTION = (
    "A control plane for AI agents: every tool call decided before it runs, every decision provable afterwards."
)

SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An access token, or an API key."},
    "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


class DescribedApi(FastAPI):
    """FastAPI with MUTX's routes, errors and security schemes; the server adds middleware and services."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(title=TITLE, version=VERSION, description=DESCRIPTION, redirect_slashes=False, **settings)
        for router in ROUTERS:
            self.include_router(router)
        problems.install(self)

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            described = super().openapi()
            described.setdefault("components", {})["securitySchemes"] = SECURITY_SCHEMES
            self.openapi_schema = described
        return self.openapi_schema


def main() -> None:
    print(json.dumps(DescribedApi().openapi(), indent=2, sort_keys=True, ensure_ascii=False))


if __name__ == "__main__":
    main()

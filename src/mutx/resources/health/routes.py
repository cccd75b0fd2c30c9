"""Health, readiness, metrics, and what stands at the root."""

from importlib.metadata import version
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from mutx.contract import health as contract
from mutx.contract.health import Health, Readiness, ServerInfo
from mutx.resources.health.checks import HealthChecks
from mutx.resources.health.scrape import Scrape
from mutx.web.serve import serve

router = APIRouter()


async def _checks(request: Request) -> HealthChecks:
    found = request.app.state.health
    assert isinstance(found, HealthChecks)
    return found


async def _scrape(request: Request) -> Scrape:
    found = request.app.state.scrape
    assert isinstance(found, Scrape)
    return found


Checks = Annotated[HealthChecks, Depends(_checks)]


@serve(router, contract.health)
async def health(checks: Checks) -> Health:
    return await checks.health()


@serve(router, contract.ready)
async def ready(checks: Checks) -> Readiness:
    return await checks.ready()


@serve(router, contract.server_info)
async def server_info(request: Request) -> ServerInfo:
    return ServerInfo(name="MUTX", version=version("mutx"), docs=request.app.docs_url, health="/health")


@serve(router, contract.metrics)
async def metrics(request: Request, scrape: Annotated[Scrape, Depends(_scrape)]) -> str:
    return await scrape.text(request.scope)

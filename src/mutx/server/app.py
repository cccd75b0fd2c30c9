"""Assemble the HTTP side of the control plane: routes, and what every request passes before them."""

from collections.abc import Mapping
from typing import Any

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from mutx.resources.health.checks import HealthChecks
from mutx.resources.health.gauges import FleetGauges
from mutx.server.identities import KnownIdentities
from mutx.server.middleware.authenticate import Authenticate
from mutx.server.middleware.body import BodyGuard
from mutx.server.middleware.fast_lane import FastLane
from mutx.server.middleware.metrics import HttpMetrics, Metrics
from mutx.server.middleware.rate_limit import Limit, RateLimit
from mutx.server.middleware.request_id import RequestId
from mutx.server.middleware.security import SecurityHeaders, TrustedHosts
from mutx.server.middleware.tracing import Tracing
from mutx.server.openapi import DescribedApi
from mutx.server.settings import Settings
from mutx.web.services import Services

PROBES = ("/health", "/ready", "/metrics")
"""Orchestrators ask these at their own rate."""


def create_app(
    services: Services,
    settings: Settings,
    identities: KnownIdentities,
    *,
    doors: Mapping[str, ASGIApp],
    lifespan: Any = None,
) -> DescribedApi:
    """`doors`: the hot `POST` paths and what serves them, ahead of the router."""
    app = DescribedApi(
        lifespan=lifespan,
        middleware=middleware(services, settings, identities, doors),
        docs_url="/docs" if settings.docs else None,
        redoc_url=None,
        openapi_url="/openapi.json" if settings.docs else None,
    )
    app.state.services = services
    app.state.health = HealthChecks(services)
    app.state.gauges = FleetGauges(services.registry)
    return app


def middleware(
    services: Services, settings: Settings, identities: KnownIdentities, doors: Mapping[str, ASGIApp]
) -> list[Middleware]:
    """From the outside in."""
    cors = Middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["authorization", "content-type", "x-api-key", "x-request-id"],
    )
    return [
        Middleware(Metrics, metrics=HttpMetrics(services.registry)),
        Middleware(RequestId),
        Middleware(Tracing),
        Middleware(SecurityHeaders),
        Middleware(TrustedHosts, names=settings.hosts),
        *([cors] if settings.cors_origins else []),
        Middleware(Authenticate, identities=identities),
        Middleware(RateLimit, limits=_limits(settings), clock=services.clock, hot=doors.keys(), exempt=PROBES),
        Middleware(BodyGuard, limit=settings.max_body_bytes, unread=doors.keys()),
        Middleware(FastLane, doors=doors),
    ]


def _limits(settings: Settings) -> dict[str, Limit]:
    return {
        "general": Limit(settings.rate_limit_requests, settings.rate_limit_window_seconds),
        "auth": Limit(settings.auth_rate_limit_requests, settings.auth_rate_limit_window_seconds),
        "hot": Limit(settings.governance_rate_limit_requests, settings.governance_rate_limit_window_seconds),
    }

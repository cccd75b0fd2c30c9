"""Assemble the HTTP side of the control plane: routes, and what every request passes before them."""

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import State
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from mutx.contract.operation import by_name
from mutx.contract.registry import FAMILIES
from mutx.server.api_docs import PAGE, api_docs
from mutx.server.doors.http import HotRoute
from mutx.server.edge import Limiters, edge_limits, local_limiters
from mutx.server.identities import KnownIdentities
from mutx.server.mail_pages import OWN_POLICY, mail_pages
from mutx.server.middleware.addresses import Addresses, families
from mutx.server.middleware.authenticate import Authenticate
from mutx.server.middleware.body import BodyGuard
from mutx.server.middleware.fast_lane import FastLane
from mutx.server.middleware.hot_lane import HotLane
from mutx.server.middleware.metrics import EdgeMetrics, HttpMetrics, Metrics
from mutx.server.middleware.open_streams import OpenStreams
from mutx.server.middleware.rate_limit import Doorkeeper, RateLimit
from mutx.server.middleware.request_id import RequestId
from mutx.server.middleware.security import SecurityHeaders, TrustedHosts
from mutx.server.middleware.timeouts import RequestTimeout
from mutx.server.middleware.tracing import SampledWay, Tracing
from mutx.server.observing import observe
from mutx.server.openapi import DescribedApi
from mutx.server.settings import Settings
from mutx.server.traces import span_names
from mutx.services.telemetry.tracing import RequestTracer
from mutx.web.services import Services

PROBES = ("/health", "/ready", "/metrics")
"""Orchestrators ask these at their own rate."""


class ControlPlaneApp:
    """What a server serves: the middleware around the API. Hot requests leave it before the API's own layers."""

    def __init__(self, api: DescribedApi, outermost: ASGIApp, hot_lane: HotLane | None = None) -> None:
        """`hot_lane`: for a server that may go straight there; None where every request has to pass what stands before it."""
        self.api = api
        self.hot_lane = hot_lane
        self._outermost = outermost

    @property
    def state(self) -> State:
        return self.api.state

    def openapi(self) -> dict[str, Any]:
        return self.api.openapi()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._outermost(scope, receive, send)


def create_app(
    services: Services,
    settings: Settings,
    identities: KnownIdentities,
    *,
    doors: Mapping[str, HotRoute],
    limiters: Limiters | None = None,
    tracer: RequestTracer | None = None,
) -> ControlPlaneApp:
    """`doors`: the hot `POST` paths and what serves them, ahead of the router. `limiters`: this process's own, `tracer`: none unless given."""
    api = DescribedApi(
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json" if settings.docs else None,
    )
    api.routes.extend(mail_pages())
    if settings.docs:
        api.routes.extend(api_docs())
    api.state.services = services
    observe(api.state, services, settings)
    limiters = limiters or local_limiters(settings, services.clock)
    metrics = HttpMetrics(services.registry)
    outermost: ASGIApp = api
    for layer in reversed(middleware(services, settings, identities, doors, limiters, metrics, tracer)):
        outermost = layer.cls(outermost, *layer.args, **layer.kwargs)
    hot = HotLane(
        outermost,
        routes=doors,
        hosts=TrustedHosts(_nothing, names=settings.hosts),
        identities=identities,
        throttle=limiters["hot"],
        metrics=metrics,
        limit=settings.max_body_bytes,
    )
    if tracer is None:
        return ControlPlaneApp(api, hot, hot)
    return ControlPlaneApp(api, SampledWay(hot, outermost, hot=doors, tracer=tracer))


def middleware(
    services: Services,
    settings: Settings,
    identities: KnownIdentities,
    doors: Mapping[str, HotRoute],
    limiters: Limiters,
    metrics: HttpMetrics,
    tracer: RequestTracer | None = None,
) -> list[Middleware]:
    """What stands behind the short way for hot requests, from the outside in: a name, the edge in the order of the technical reference (§5), the limits, the hot doors."""
    limits = edge_limits(settings, services.registry, limiters, hot=doors.keys(), exempt=PROBES)
    return [
        Middleware(RequestId),
        Middleware(EdgeMetrics, metrics=metrics),
        Middleware(Addresses, families=families([op.url for op in by_name(FAMILIES).values()])),
        Middleware(TrustedHosts, names=settings.hosts),
        *([_cors(settings)] if settings.cors_origins else []),
        Middleware(SecurityHeaders, pages=(PAGE, *OWN_POLICY)),
        Middleware(Doorkeeper, limits=limits, identities=identities),
        Middleware(Authenticate, identities=identities, probes=PROBES),
        Middleware(RateLimit, limits=limits),
        Middleware(OpenStreams, identities=identities),
        Middleware(Tracing, tracer=tracer, span_names=span_names()),
        Middleware(Metrics, metrics=metrics),
        Middleware(RequestTimeout, seconds=settings.request_timeout_seconds),
        Middleware(
            BodyGuard,
            limit=settings.max_body_bytes,
            seconds=settings.body_timeout_seconds,
            unread=doors.keys(),
        ),
        Middleware(FastLane, doors=doors),
    ]


def _cors(settings: Settings) -> Middleware:
    return Middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["authorization", "content-type", "x-api-key", "x-request-id", "traceparent", "tracestate"],
        allow_credentials="*" not in settings.cors_origins,  # the sign-in cookie; which looks at the origin itself
        expose_headers=[
            "x-request-id",
            "retry-after",
            "ratelimit-limit",
            "ratelimit-policy",
            "ratelimit-remaining",
            "ratelimit-reset",
        ],
    )


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """Stands inside a middleware of which only the judgement is asked."""

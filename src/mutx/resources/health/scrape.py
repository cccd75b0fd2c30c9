"""Who may read the metrics: they count over all workspaces, so no account of any workspace suffices."""

from hmac import compare_digest

from prometheus_client import CollectorRegistry, generate_latest
from starlette.types import Scope

from mutx.kit.errors import Unauthenticated
from mutx.resources.health.checks import HealthChecks
from mutx.resources.health.gauges import FleetGauges
from mutx.web.credentials import credential_of


class Scrape:
    """The text that Prometheus reads, for those who may."""

    def __init__(self, registry: CollectorRegistry, checks: HealthChecks, *, token: str, open_to_all: bool) -> None:
        """`open_to_all` without a `token` only: nobody else reaches this server."""
        self._registry = registry
        self._checks = checks
        self._gauges = FleetGauges(registry)
        self._token = token.encode()
        self._open = open_to_all and not token

    async def text(self, scope: Scope, *, own_port: bool = False) -> str:
        """`own_port`: the request came where only metrics are served. Raises Unauthenticated."""
        if not (self._open or (own_port and not self._token)):
            self._admit(scope)
        self._gauges.set(await self._checks.fleet(), self._checks.vitals)
        return generate_latest(self._registry).decode()

    def _admit(self, scope: Scope) -> None:
        if not self._token:
            raise Unauthenticated("set METRICS_TOKEN and scrape with it as bearer token, or set METRICS_PORT")
        given = credential_of(scope) or ""
        if not compare_digest(given.encode(), self._token):
            raise Unauthenticated("scrape with METRICS_TOKEN as `Authorization: Bearer ...`")

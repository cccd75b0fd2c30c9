"""Puts together what one sees of a running control plane: health, metrics."""

from functools import partial

from starlette.datastructures import State

from mutx.resources.agents.commands import end_overdue
from mutx.resources.agents.tasks import TaskMetrics
from mutx.resources.health.checks import HealthChecks
from mutx.resources.health.scrape import Scrape
from mutx.resources.health.vitals import Vitals
from mutx.server.settings import Settings, is_loopback
from mutx.server.workers import Periodic
from mutx.storage.watch import watch
from mutx.web.services import Services

OVERDUE_SECONDS = 5.0


def observe(state: State, services: Services, settings: Settings) -> None:
    """Give the API's `state` what its health and metrics handlers look at."""
    checks = HealthChecks(services)
    state.health = checks
    state.tasks = TaskMetrics(services.registry)
    state.scrape = Scrape(
        services.registry,
        checks,
        token=settings.metrics_token.get_secret_value(),
        open_to_all=is_loopback(settings.host) and not settings.allowed_hosts,
    )
    watch(services.database, services.registry)


def attend(state: State, vitals: Vitals) -> None:
    """Let health and metrics see what runs beside requests."""
    checks: HealthChecks = state.health
    checks.vitals = vitals


def overdue_task(services: Services, tasks: TaskMetrics) -> Periodic:
    return Periodic("overdue-commands", partial(end_overdue, services.database, services.clock, tasks), OVERDUE_SECONDS)

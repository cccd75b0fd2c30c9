"""Traces of requests: whether there are any, and what their spans are called."""

from collections.abc import Mapping

from mutx.governance.pipeline import GovernancePipeline
from mutx.kit.clock import Clock
from mutx.sdk import groups
from mutx.sdk.group import Group, methods
from mutx.server.collector import collector_of
from mutx.server.doors.traced import TracedVerbs
from mutx.server.doors.verbs import Verb, Verbs
from mutx.server.settings import Settings
from mutx.services.telemetry.tracing import RequestTracer
from mutx.storage.coordination import Bus


def open_tracer(settings: Settings) -> RequestTracer | None:
    """None where no collector is named: then nothing of tracing runs."""
    collector = collector_of(settings)
    return RequestTracer(*collector, ratio=settings.trace_ratio) if collector else None


def span_names() -> Mapping[tuple[str, str], str]:
    """Method and route template -> `mutx.agents.create`: the name by which SDK and command line call the operation."""
    families = [each for each in vars(groups).values() if isinstance(each, type) and issubclass(each, Group)]
    return {
        (op.method, op.url): f"mutx.{op.family}.{name}" for family in families for name, op in methods(family).items()
    }


def open_verbs(
    pipeline: GovernancePipeline,
    bus: Bus,
    clock: Clock,
    tracer: RequestTracer | None,
    more: Mapping[str, Verb] | None = None,
) -> Verbs:
    """Those that describe what they do on the request's span only where there can be one."""
    return (Verbs if tracer is None else TracedVerbs)(pipeline, bus, clock, more)

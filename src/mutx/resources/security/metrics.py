"""A workspace's counts as Prometheus text. Made for each request, since other tenants' numbers must not be in it."""

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from mutx.contract.security import SecurityMetrics

COUNTERS = {
    "total_evaluations": ("mutx_security_evaluations", "Tool calls decided."),
    "permits": ("mutx_security_permits", "Decisions that let a call run."),
    "denials": ("mutx_security_denials", "Decisions that denied a call."),
    "defers": ("mutx_security_defers", "Decisions that made a call wait."),
    "intent_drifts": ("mutx_security_intent_drifts", "Decisions on which the session had drifted from its request."),
}
GAUGES = {
    "pending_approvals": ("mutx_security_pending_approvals", "Requests that wait for a person."),
    "active_sessions": ("mutx_security_active_sessions", "Sessions that are not closed."),
    "avg_latency_ms": ("mutx_security_decision_latency_ms", "Mean time of a decision in this process, milliseconds."),
}


LATENCY = "http_request_duration_seconds"
DECIDING = ("/v1/governance/decide", "/v1/security/actions/evaluate")


def exposition(metrics: SecurityMetrics) -> str:
    registry = CollectorRegistry()
    for field, (name, text) in COUNTERS.items():
        Counter(name, text, registry=registry).inc(getattr(metrics, field))
    for field, (name, text) in GAUGES.items():
        Gauge(name, text, registry=registry).set(getattr(metrics, field))
    return generate_latest(registry).decode()


def mean_latency_ms(registry: CollectorRegistry) -> float:
    """Mean time of this process's deciding HTTP requests since it started, milliseconds; 0 before the first."""
    seconds, requests = (
        sum(
            registry.get_sample_value(f"{LATENCY}_{part}", {"method": "POST", "path": path}) or 0.0 for path in DECIDING
        )
        for part in ("sum", "count")
    )
    return round(1000 * seconds / requests, 3) if requests else 0.0

"""How an agent behaves, against fixed limits and against its own past. Pure: counts in, anomalies out."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

MINUTE = 60.0
ERROR_MINUTES = 10
"""Over which the share of failures is taken."""
LEAST_REQUESTS = 20
"""Below which a share of failures means nothing."""
ERROR_SHARE = 0.5
OUTPUT_FACTOR = 10.0
LEAST_OUTPUTS = 10
"""Outputs that make a norm."""
DRIFT = 0.6
"""Of two distributions: half the sum of their differences, 0 to 1."""
LEAST_USES = 30
"""Uses in the past, and in the window, that behaviour is judged on."""
LEAST_RECENT = 10
MAX_TOOLS = 64
"""Tools that are told apart; the rest counts as one."""
REST = "*"
MEMORY = 0.05
"""Weight of one output in the norm: it follows slowly, so that a flood does not become normal."""


class Anomalous(StrEnum):
    VELOCITY = "request_velocity"
    OUTPUT = "output_length"
    ERRORS = "error_rate"
    DRIFT = "behavioral_drift"


class Response(StrEnum):
    """What follows."""

    RATE_LIMIT = "rate_limit"
    FLAG = "flag"
    PAUSE = "pause"


RESPONSES: Mapping[Anomalous, Response] = {
    Anomalous.VELOCITY: Response.RATE_LIMIT,
    Anomalous.OUTPUT: Response.FLAG,
    Anomalous.ERRORS: Response.PAUSE,
    Anomalous.DRIFT: Response.FLAG,
}


class Anomaly(Struct, frozen=True):
    kind: Anomalous
    value: float
    limit: float

    @property
    def response(self) -> Response:
        return RESPONSES[self.kind]


def velocity(requests: int, limit: int) -> Anomaly | None:
    """More requests within a minute than the profile allows."""
    return Anomaly(Anomalous.VELOCITY, requests, limit) if requests > limit else None


def output_length(characters: int, norm: float, outputs: int) -> Anomaly | None:
    """An output of more than ten times the agent's own norm."""
    if outputs < LEAST_OUTPUTS or characters <= OUTPUT_FACTOR * max(norm, 1.0):
        return None
    return Anomaly(Anomalous.OUTPUT, characters, OUTPUT_FACTOR * norm)


def next_norm(norm: float, outputs: int, characters: int) -> float:
    """The norm after one more output: a mean at first, then one that forgets. One outlier counts as the limit only."""
    if outputs >= LEAST_OUTPUTS:
        characters = min(characters, int(OUTPUT_FACTOR * max(norm, 1.0)))
    weight = max(MEMORY, 1 / (outputs + 1))
    return norm + weight * (characters - norm)


def error_rate(requests: int, failures: int) -> Anomaly | None:
    """More than half of the requests of the last minutes failed."""
    if requests < LEAST_REQUESTS or failures <= ERROR_SHARE * requests:
        return None
    return Anomaly(Anomalous.ERRORS, failures / requests, ERROR_SHARE)


def drift(past: Mapping[str, int], recent: Mapping[str, int]) -> Anomaly | None:
    """What the agent uses now, against what it used before."""
    before, now = sum(past.values()), sum(recent.values())
    if before < LEAST_USES or now < LEAST_RECENT:
        return None
    distance = sum(abs(past.get(tool, 0) / before - recent.get(tool, 0) / now) for tool in {*past, *recent}) / 2
    return Anomaly(Anomalous.DRIFT, distance, DRIFT) if distance > DRIFT else None


def counted(uses: Mapping[str, int], tool: str, more: int = 1) -> dict[str, int]:
    """`uses` with some more; tools beyond MAX_TOOLS share one name."""
    name = tool if tool in uses or len(uses) < MAX_TOOLS else REST
    return {**uses, name: uses.get(name, 0) + more}

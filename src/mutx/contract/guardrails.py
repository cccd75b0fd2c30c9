"""Guardrails: check what goes into an agent and what comes out of it, and watch how it behaves."""

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from mutx.contract.base import WHOLE_TEXT, Input, Schema, Timestamp
from mutx.contract.operation import operation

GuardedText = Annotated[str, Field(max_length=200_000, repr=False, json_schema_extra=WHOLE_TEXT)]
"""Longer texts are checked in parts."""


Canary = Annotated[str, Field(min_length=8, max_length=128)]
GuardedSession = Annotated[str, Field(min_length=1, max_length=256)]
SignalName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.:-]{0,63}$")]
"""Of something found, as `session.signals` of policies has it: `prompt_injection`, `pii_detection:card`, `rule:project`."""


class GuardrailDirection(StrEnum):
    INPUT = "input"
    OUTPUT = "output"
    TOOL_RESULT = "tool_result"


class GuardrailReaction(StrEnum):
    OFF = "off"
    FLAG = "flag"
    REDACT = "redact"
    BLOCK = "block"


class GuardrailAction(StrEnum):
    """What to do with a refused text, or with the agent."""

    BLOCK = "block"
    RATE_LIMIT = "rate_limit"
    PAUSE = "pause"


class GuardrailRedaction(StrEnum):
    MASK = "mask"
    """[REDACTED]"""
    TOKENS = "tokens"
    """[EMAIL_ADDRESS_1], and a sealed `vault` to turn marks back with."""


class GuardrailEncoding(StrEnum):
    NONE = "none"
    HTML = "html"


class GuardrailFinding(Schema):
    """Where something was found, never the value itself."""

    kind: str
    start: int | None = None
    stop: int | None = None
    confidence: float | None = None


class GuardrailCheck(Schema):
    name: str
    passed: bool
    reaction: GuardrailReaction
    """What the profile does where this check fails."""
    confidence: float | None = None
    findings: list[GuardrailFinding] = Field(default_factory=list)
    details: str = ""


class GuardrailQuestion(Input):
    text: GuardedText
    direction: GuardrailDirection = GuardrailDirection.INPUT
    profile: Annotated[str, Field(max_length=64)] = "standard"
    agent_id: UUID | None = None
    """Whose text it is: then it counts for the agent's rate and norm. An agent's own key means that agent."""
    system_prompt: Annotated[str, Field(max_length=100_000, repr=False)] = ""
    """For output: what must not be repeated."""
    canaries: Annotated[list[Canary], Field(max_length=20)] = Field(default_factory=list, repr=False)
    """For output: marks that must not appear."""
    redaction: GuardrailRedaction = GuardrailRedaction.MASK
    encoding: GuardrailEncoding = GuardrailEncoding.NONE
    """How the text that may go on is encoded."""
    session_id: GuardedSession | None = None
    """The session whose text it is: what is found enters it, with a receipt, and policies may ask for it."""


def _absent(value: object) -> bool:
    return value is None


class GuardrailVerdict(Schema):
    """`reason`, `details`, `confidence` and `action` are there on refusal only."""

    allowed: bool
    checks: list[GuardrailCheck]
    latency_ms: float
    model: str
    text: str | None = Field(default=None, repr=False)
    """What may go on: redacted, cut, encoded as asked. Nothing on refusal."""
    vault: str | None = Field(default=None, repr=False)
    reason: str | None = Field(default=None, exclude_if=_absent)
    details: str | None = Field(default=None, exclude_if=_absent)
    confidence: float | None = Field(default=None, exclude_if=_absent)
    action: GuardrailAction | None = Field(default=None, exclude_if=_absent)
    receipt_id: str | None = None
    """Of what entered the session; none where nothing was found, or no session named."""


class GuardrailFindings(Input):
    """What guardrails in the agent's own process found in a text that the control plane has not seen."""

    session_id: GuardedSession
    signals: Annotated[list[SignalName], Field(min_length=1, max_length=32)]
    direction: GuardrailDirection = GuardrailDirection.INPUT
    refused: bool = False
    agent_id: Annotated[str, Field(min_length=1, max_length=256)] | None = None


class GuardrailNoted(Schema):
    receipt_id: str


class GuardrailResultQuestion(Input):
    """What a tool returned, as any JSON value: every text in it is checked."""

    result: Any = Field(repr=False)
    profile: Annotated[str, Field(max_length=64)] = "standard"
    session_id: GuardedSession | None = None
    agent_id: Annotated[str, Field(min_length=1, max_length=256)] | None = None


class GuardrailResultVerdict(Schema):
    """As for a text. `result`: what may go on, personal data taken out where the profile does so; null on refusal."""

    allowed: bool
    checks: list[GuardrailCheck]
    latency_ms: float
    model: str
    result: Any = Field(default=None, repr=False)
    reason: str | None = None
    details: str | None = None
    receipt_id: str | None = None


class GuardrailRestore(Input):
    text: GuardedText
    vault: Annotated[str, Field(max_length=2_000_000, repr=False)]


class GuardrailRestored(Schema):
    text: str = Field(repr=False)


class GuardrailProfile(Schema):
    name: str
    input: dict[str, GuardrailReaction]
    output: dict[str, GuardrailReaction]
    max_input_tokens: int
    max_output_tokens: int
    requests_per_minute: int


class GuardrailCanary(Schema):
    canary: str = Field(repr=False)


class GuardrailObservation(Input):
    """What an agent did, for its norms."""

    agent_id: UUID
    failed: bool = False
    """The request ended in an error."""
    tool: Annotated[str, Field(max_length=200)] = ""
    """What it used; behaviour is how often it uses what."""


class GuardrailAnomaly(Schema):
    kind: str
    """request_velocity, output_length, error_rate, behavioral_drift"""
    action: str
    """rate_limit, flag, pause"""
    value: float
    limit: float


class GuardrailBehaviour(Schema):
    agent_id: UUID
    requests: int
    """In the last minute."""
    paused: bool
    paused_since: Timestamp | None = None
    anomalies: list[GuardrailAnomaly]


@operation("GET", "/guardrails/profiles", scope="guardrails:act")
def list_guardrail_profiles() -> list[GuardrailProfile]:
    """List the profiles, the strictest first."""


@operation("POST", "/guardrails/check", scope="guardrails:act", errors=(429, 503))
def check_text(body: GuardrailQuestion) -> GuardrailVerdict:
    """Check a text (on the command line: standard input). A refusal is an answer with `allowed` false, not an error."""


@operation("POST", "/guardrails/results", scope="guardrails:act", errors=(429, 503))
def check_result(body: GuardrailResultQuestion) -> GuardrailResultVerdict:
    """Check what a tool returned, whatever its shape. A refusal is an answer with `allowed` false, not an error."""


@operation("POST", "/guardrails/findings", scope="guardrails:act", status=201)
def report_findings(body: GuardrailFindings) -> GuardrailNoted:
    """Enter what the agent's own guardrails found into its session, with a receipt."""


@operation("POST", "/guardrails/restore", scope="guardrails:act")
def restore_text(body: GuardrailRestore) -> GuardrailRestored:
    """Turn the marks of a reversible redaction back, with its vault."""


@operation("POST", "/guardrails/canaries", scope="guardrails:act", status=201)
def create_canary() -> GuardrailCanary:
    """Make a mark to plant in a prompt. It is kept nowhere: send it with the checks of that prompt's output."""


@operation("POST", "/guardrails/observations", scope="guardrails:act")
def report_observation(body: GuardrailObservation) -> GuardrailBehaviour:
    """Say how a request of an agent ended. An agent that fails more than half of the time is paused."""


@operation("GET", "/guardrails/agents/{agent_id}", scope="guardrails:read")
def get_agent_behaviour(agent_id: UUID) -> GuardrailBehaviour:
    """Show how an agent behaves, and whether it is paused."""


@operation("POST", "/guardrails/agents/{agent_id}/resume", scope="guardrails:write")
def resume_agent(agent_id: UUID) -> GuardrailBehaviour:
    """Let a paused agent go on, with its counts of the last minutes forgotten."""

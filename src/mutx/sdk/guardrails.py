"""Guardrails around a model's text, in the agent's own process; the first that refuses ends the check.

    guard = GuardrailMiddleware.for_profile("standard", client=MutxClient.local())
    result = guard.check_input(prompt)
    if not result.passed:
        ...

Finding something in text is a signal. What an agent may do is decided by policy, whatever its text says.
"""

import json
import math
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self
from uuid import UUID

import httpx2
import re2
from pydantic import ValidationError

from mutx.contract.guardrails import GuardrailDirection, GuardrailFindings, GuardrailQuestion
from mutx.governance.detectors import DETECTORS
from mutx.kit.errors import InputError, MutxError
from mutx.sdk.client import MutxClient
from mutx.sdk.policy import DEFAULT_GUARDRAIL_PROFILES

Action = Literal["block", "allow", "warn"]
MAX_PATTERN = 1000
SECONDS = 5.0
MAX_ANSWER = 64 * 1024
Context = Mapping[str, Any]
_CHECKS = {"pii": "pii_detection", "toxicity": "toxic_content"}
"""What the control plane calls what guardrails here find."""
_UNNAMEABLE = re.compile(r"[^a-z0-9_.:-]")


@dataclass(frozen=True)
class GuardrailResult:
    passed: bool
    triggered_rule: str | None = None
    action: Action = "allow"
    message: str = "OK"
    text: str | None = None
    """What may go on, where the guardrail changes texts."""


class InputGuardrail(Protocol):
    """Also guards output."""

    def check(self, text: str, context: Context | None = None) -> GuardrailResult: ...


class PIIBlocklistGuardrail:
    """Refuses text with a card number, an IBAN, a US social security number or an e-mail address. Without the network."""

    def __init__(self, kinds: Sequence[str] = tuple(DETECTORS)) -> None:
        unknown = set(kinds) - set(DETECTORS)
        if unknown:
            raise InputError(
                f"no such kind of personal data: {', '.join(sorted(unknown))}; there are {', '.join(DETECTORS)}"
            )
        self._kinds = tuple(kinds)

    def check(self, text: str, context: Context | None = None) -> GuardrailResult:
        for kind in self._kinds:
            if next(DETECTORS[kind](text), None) is not None:
                return GuardrailResult(False, f"pii:{kind}", "block", f"the text holds personal data ({kind})")
        return GuardrailResult(True)


class RegexGuardrail:
    """Refuses, or warns about, text that one of your patterns matches. RE2: linear time, no look-around."""

    def __init__(self, patterns: Mapping[str, str], *, action: Literal["block", "warn"] = "block") -> None:
        """`patterns`: rule -> pattern. Raises InputError for a pattern that RE2 does not take."""
        self._action = action
        try:
            self._patterns = {rule: re2.compile(_bounded(rule, pattern)) for rule, pattern in patterns.items()}
        except re2.error as error:
            raise InputError(f"this is no pattern for RE2: {error}") from error

    def check(self, text: str, context: Context | None = None) -> GuardrailResult:
        for rule, pattern in self._patterns.items():
            if pattern.search(text):
                message = f"the text matches the rule {rule}"
                return GuardrailResult(self._action == "warn", rule, self._action, message)
        return GuardrailResult(True)


class ToxicityGuardrail:
    """Asks a classifier over HTTP: `POST {"text": ...}` answers `{"scores": {"category": 0 to 1}}`.

    Without a usable answer the text is refused.
    """

    def __init__(
        self,
        url: str,
        *,
        threshold: float = 0.5,
        api_key: str = "",
        seconds: float = SECONDS,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """`seconds`: patience for the whole answer."""
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = httpx2.Client(headers=headers, timeout=seconds, transport=transport)
        self._url = url
        self._seconds = seconds
        self._threshold = threshold

    def check(self, text: str, context: Context | None = None) -> GuardrailResult:
        try:
            scores = _scores(self._asked(text))
        except (httpx2.HTTPError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            message = "the toxicity classifier gave no usable answer"
            return GuardrailResult(False, "toxicity:unavailable", "block", message)
        worst = max(scores, key=lambda name: scores[name], default=None)
        if worst is None or scores[worst] < self._threshold:
            return GuardrailResult(True)
        return GuardrailResult(False, f"toxicity:{worst}", "block", f"the text is toxic ({worst})")

    def _asked(self, text: str) -> bytes:
        """The answer, bounded in size and in time as a whole. Raises httpx2.HTTPError, ValueError."""
        content = bytearray()
        ends = time.monotonic() + self._seconds
        with self._client.stream("POST", self._url, json={"text": text}) as response:
            response.raise_for_status()
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > MAX_ANSWER or time.monotonic() > ends:
                    raise ValueError("the answer is too long, or too slow")
        return bytes(content)

    def close(self) -> None:
        self._client.close()


class EvalViewGuardrail:
    """Asks the control plane. Its error refuses the text."""

    def __init__(
        self,
        client: MutxClient,
        *,
        profile: str = "standard",
        direction: GuardrailDirection = GuardrailDirection.INPUT,
        agent_id: UUID | None = None,
        session_id: str | None = None,
    ) -> None:
        """`session_id`: what is found enters that session, and policies may ask for it."""
        self._session_id = session_id
        self._client = client
        self._profile = profile
        self._direction = direction
        self._agent_id = agent_id

    def check(self, text: str, context: Context | None = None) -> GuardrailResult:
        """`context` may hold `system_prompt` and `canaries`, and the `session_id` whose text it is."""
        try:
            verdict = self._client.guardrails.check(self._question(text, dict(context or {})))
        except ValidationError as error:
            worst = error.errors(include_input=False, include_url=False)[0]
            message = f"{worst['loc'][0] if worst['loc'] else 'text'}: {worst['msg']}"
            return GuardrailResult(False, f"evalview:{InputError.code}", "block", message)
        except MutxError as error:
            return GuardrailResult(False, f"evalview:{error.code}", "block", str(error))
        if not verdict.allowed:
            return GuardrailResult(False, verdict.reason, "block", verdict.details or "refused")
        flagged = next((check for check in verdict.checks if not check.passed), None)
        if flagged is None:
            return GuardrailResult(True, text=verdict.text)
        return GuardrailResult(True, flagged.name, "warn", flagged.details, verdict.text)

    def _question(self, text: str, given: Mapping[str, Any]) -> GuardrailQuestion:
        session_id = given.get("session_id", self._session_id)
        return GuardrailQuestion(
            text=text,
            profile=self._profile,
            direction=self._direction,
            agent_id=self._agent_id,
            session_id=None if session_id is None else str(session_id),
            system_prompt=str(given.get("system_prompt", "")),
            canaries=list(given.get("canaries", ())),
        )


class GuardrailMiddleware:
    """Several guardrails as one. A guardrail that fails itself refuses the text.

    With a `client` and a session (`session_id` here, or in the context of a check) what the guardrails in this process find
    enters the session as well; where that fails, the text is refused.
    """

    def __init__(
        self, *, client: MutxClient | None = None, session_id: str | None = None, agent_id: str | None = None
    ) -> None:
        self._client = client
        self._session_id = session_id
        self._agent_id = agent_id
        self._input_guardrails: list[InputGuardrail] = []
        self._output_guardrails: list[InputGuardrail] = []

    @classmethod
    def for_profile(
        cls,
        profile: str,
        *,
        client: MutxClient | None = None,
        toxicity: ToxicityGuardrail | None = None,
        session_id: str | None = None,
    ) -> Self:
        """The guardrails of strict, standard or permissive. `client`: the control plane checks as well.

        Raises InputError for an unknown profile, and where strict is wanted and nothing can tell toxic text.
        """
        wanted = DEFAULT_GUARDRAIL_PROFILES.get(profile)
        if wanted is None:
            raise InputError(f"no guardrail profile {profile}; there are {', '.join(DEFAULT_GUARDRAIL_PROFILES)}")
        if "toxicity_check" in wanted and toxicity is None and client is None:
            raise InputError(f"the profile {profile} checks for toxic text: give a ToxicityGuardrail or a client")
        guard = cls(client=client, session_id=session_id)
        if "pii_block" in wanted:
            guard.add_input_guardrail(PIIBlocklistGuardrail())
            guard.add_output_guardrail(PIIBlocklistGuardrail())
        if "toxicity_check" in wanted and toxicity is not None:
            guard.add_input_guardrail(toxicity)
            guard.add_output_guardrail(toxicity)
        if client is not None:
            guard.add_input_guardrail(EvalViewGuardrail(client, profile=profile, session_id=session_id))
            output = EvalViewGuardrail(
                client, profile=profile, direction=GuardrailDirection.OUTPUT, session_id=session_id
            )
            guard.add_output_guardrail(output)
        return guard

    def add_input_guardrail(self, guardrail: InputGuardrail) -> None:
        self._input_guardrails.append(guardrail)

    def add_output_guardrail(self, guardrail: InputGuardrail) -> None:
        self._output_guardrails.append(guardrail)

    def check_input(self, text: str, context: Context | None = None) -> GuardrailResult:
        return self._first(self._input_guardrails, text, context, GuardrailDirection.INPUT)

    def check_output(self, text: str, context: Context | None = None) -> GuardrailResult:
        return self._first(self._output_guardrails, text, context, GuardrailDirection.OUTPUT)

    def _first(
        self, guardrails: Sequence[InputGuardrail], text: str, context: Context | None, direction: GuardrailDirection
    ) -> GuardrailResult:
        """The first refusal; else the first warning; else that all is well. A later guardrail reads what an earlier left."""
        warning: GuardrailResult | None = None
        for guardrail in guardrails:
            result = _checked(guardrail, text, context)
            if not isinstance(guardrail, EvalViewGuardrail):  # which has told the session itself
                result = self._told(result, context, direction)
            if not result.passed:
                return result
            text = text if result.text is None else result.text
            if result.action == "warn" and warning is None:
                warning = result
        if warning is None:
            return GuardrailResult(True, text=text)
        return GuardrailResult(True, warning.triggered_rule, "warn", warning.message, text)

    def _told(self, result: GuardrailResult, context: Context | None, direction: GuardrailDirection) -> GuardrailResult:
        """Once the session knows of it."""
        session_id = (context or {}).get("session_id", self._session_id)
        signals = _signals(result.triggered_rule)
        if self._client is None or session_id is None or not signals:
            return result
        found = GuardrailFindings(
            session_id=str(session_id),
            signals=signals,
            direction=direction,
            refused=not result.passed,
            agent_id=self._agent_id,
        )
        try:
            self._client.guardrails.findings(found)
        except MutxError as error:
            return GuardrailResult(False, result.triggered_rule, "block", f"the session was not told: {error}")
        return result


def _scores(answer: bytes) -> dict[str, float]:
    """Raises ValueError, KeyError, TypeError, AttributeError, RecursionError."""
    scores = {str(name): float(score) for name, score in json.loads(answer)["scores"].items()}
    if not all(map(math.isfinite, scores.values())):
        raise ValueError("a score is a number")
    return scores


def _checked(guardrail: InputGuardrail, text: str, context: Context | None) -> GuardrailResult:
    try:
        return guardrail.check(text, context)
    except Exception as error:  # noqa: BLE001 - the developer's own code: whatever ails it, the text is refused
        name = type(guardrail).__name__
        message = f"the guardrail {name} failed ({type(error).__name__}), so the text is refused"
        return GuardrailResult(False, f"{name}:unavailable", "block", message)


def _signals(rule: str | None) -> list[str]:
    """A guardrail's rule, as the session has it; none for a guardrail that could not look."""
    if rule is None or rule.endswith(":unavailable"):
        return []
    family, _, kind = rule.partition(":")
    if kind and family in _CHECKS:
        return [_CHECKS[family], f"{_CHECKS[family]}:{_UNNAMEABLE.sub('_', kind.lower())}"[:64]]
    return [f"rule:{_UNNAMEABLE.sub('_', rule.lower())}"[:64]]


def _bounded(rule: str, pattern: str) -> str:
    if len(pattern) > MAX_PATTERN:
        raise InputError(f"the pattern of rule {rule} is longer than {MAX_PATTERN} characters")
    return pattern

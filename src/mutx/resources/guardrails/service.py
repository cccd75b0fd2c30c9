"""Checks of texts for one caller: the agent's counts first, then the text, then what the caller is told."""

import time
from collections.abc import Sequence
from uuid import UUID

import msgspec

from mutx.contract import guardrails as contract
from mutx.contract.guardrails import (
    GuardrailAction,
    GuardrailProfile,
    GuardrailQuestion,
    GuardrailRestore,
    GuardrailRestored,
    GuardrailVerdict,
)
from mutx.governance.noting import Noted
from mutx.governance.types import Caller
from mutx.kit.errors import InputError, KeyUnusable, NotFound
from mutx.resources.guardrails.behaviour import Behaviour, Seen, shown
from mutx.resources.guardrails.notes import note_of
from mutx.services.evalview.anomaly import Anomalous, Anomaly, Response
from mutx.services.evalview.profiles import PROFILES, Direction, Profile
from mutx.services.evalview.redact import OutputEncoding, Redaction, restored
from mutx.services.evalview.service import UNAVAILABLE, Check, EvalView, Question, TextVerdict
from mutx.services.identity.sealing import Sealer
from mutx.web.services import Services

REASONS = {
    "prompt_injection": "prompt_injection_detected",
    "pii_detection": "personal_data_detected",
    "toxic_content": "toxic_content_detected",
    "length": "too_long",
    "encoding": "hidden_text_detected",
    "prompt_leak": "prompt_leak_detected",
    "llm_judge": "attack_judged",
}


class Guardrails:
    def __init__(self, app: Services, evalview: EvalView, caller: Caller) -> None:
        self._app = app
        self._evalview = evalview
        self._caller = caller

    async def check(self, body: GuardrailQuestion) -> GuardrailVerdict:
        """Raises NotFound for a profile or an agent that does not exist, Unavailable where too many texts wait."""
        started = time.perf_counter()
        profile = profile_named(body.profile)
        seen = await self._counted(body, profile)
        if seen is not None and (seen.paused or seen.slowed):
            return _held(seen, self._evalview.model, _since(started))
        verdict = await self._evalview.check(question_of(body, profile))
        vault = self._sealed(verdict.values) if verdict.values else None
        answer = _answer(verdict, vault, _since(started))
        flags = [_anomaly_check(one) for one in (seen.anomalies if seen else ())]
        answer = answer.model_copy(update={"checks": [*answer.checks, *flags]})
        if body.session_id is None:
            return answer
        agent = str(body.agent_id) if body.agent_id else None
        about = Noted(body.session_id, agent, body.direction.value, profile.name)
        return answer.model_copy(update={"receipt_id": await self.note(about, answer.checks, allowed=answer.allowed)})

    async def note(self, about: Noted, checks: Sequence[contract.GuardrailCheck], *, allowed: bool) -> str | None:
        """Enter what was found into the session. None where nothing was. Raises Conflict for a closed session."""
        found = note_of(about.direction, checks, refused=not allowed)
        return None if found is None else await self._app.pipeline.notes.add(about, found, self._caller)

    def restore(self, body: GuardrailRestore) -> GuardrailRestored:
        """Raises InputError for a vault that this workspace did not get from here."""
        try:
            values = msgspec.json.decode(self._app.sealer.open(body.vault, context=self._context), type=dict[str, str])
        except (KeyUnusable, msgspec.MsgspecError) as error:
            raise InputError("this vault was not made by a check in this workspace") from error
        return GuardrailRestored(text=restored(body.text, values))

    @property
    def _context(self) -> str:
        return f"guardrails/vault/{self._caller.workspace_id}"

    def _sealed(self, values: dict[str, str]) -> str:
        sealer: Sealer = self._app.sealer
        return sealer.seal(msgspec.json.encode(values), context=self._context)

    async def _counted(self, body: GuardrailQuestion, profile: Profile) -> Seen | None:
        """In a unit of work of its own: a slow judge must not hold the database."""
        agent: UUID | str | None = self._caller.agent_id or body.agent_id
        if agent is None:
            return None
        output = len(body.text) if body.direction is contract.GuardrailDirection.OUTPUT else None
        async with self._app.revocations.unit() as session:
            behaviour = Behaviour(session, self._caller, self._app.clock)
            return await behaviour.asked(str(agent), limit=profile.requests_per_minute, output=output)


def profile_named(name: str) -> Profile:
    """Raises NotFound."""
    profile = PROFILES.get(name)
    if profile is None:
        raise NotFound(f"no guardrail profile of this name; there are {', '.join(PROFILES)}")
    return profile


def profiles() -> list[GuardrailProfile]:
    return [GuardrailProfile.model_validate(profile) for profile in PROFILES.values()]


def question_of(body: GuardrailQuestion, profile: Profile) -> Question:
    return Question(
        text=body.text,
        direction=Direction(body.direction.value),
        profile=profile,
        system_prompt=body.system_prompt,
        canaries=tuple(body.canaries),
        redaction=Redaction(body.redaction.value),
        encoding=OutputEncoding(body.encoding.value),
    )


def reason_of(refusal: Check) -> str:
    """Why a text is refused; that nobody could look is no verdict on it."""
    looked = any(found.kind != UNAVAILABLE for found in refusal.findings) or not refusal.findings
    return REASONS[refusal.name] if looked else "guardrail_unavailable"


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)


def _answer(verdict: TextVerdict, vault: str | None, latency: float) -> GuardrailVerdict:
    answer = GuardrailVerdict.model_validate(
        {
            "allowed": verdict.allowed,
            "checks": [msgspec.to_builtins(check) for check in verdict.checks],
            "latency_ms": latency,
            "model": verdict.model,
            "text": verdict.text,
            "vault": vault,
        }
    )
    refusal = verdict.refusal
    if refusal is None:
        return answer
    told = {
        "reason": reason_of(refusal),
        "details": refusal.details,
        "confidence": refusal.confidence,
        "action": GuardrailAction.BLOCK,
    }
    return answer.model_copy(update=told)


def _held(seen: Seen, model: str, latency: float) -> GuardrailVerdict:
    """The agent is paused, or too fast: its text is not even read."""
    action = GuardrailAction.PAUSE if seen.paused else GuardrailAction.RATE_LIMIT
    details = {
        GuardrailAction.PAUSE: "this agent is paused for its error rate; someone who manages it may resume it",
        GuardrailAction.RATE_LIMIT: "this agent asks more often than its profile allows; wait a minute",
    }
    return GuardrailVerdict(
        allowed=False,
        checks=[_anomaly_check(one) for one in seen.anomalies],
        latency_ms=latency,
        model=model,
        reason="agent_paused" if seen.paused else Anomalous.VELOCITY.value,
        details=details[action],
        confidence=1.0,
        action=action,
    )


def _anomaly_check(one: Anomaly) -> contract.GuardrailCheck:
    reaction = contract.GuardrailReaction.FLAG if one.response is Response.FLAG else contract.GuardrailReaction.BLOCK
    told = shown(one)
    return contract.GuardrailCheck(
        name=told.kind, passed=False, reaction=reaction, confidence=1.0, details=f"{told.value:g}, over {told.limit:g}"
    )

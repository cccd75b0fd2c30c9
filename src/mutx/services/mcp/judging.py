"""What EvalView finds in a result before the client sees it. The finding enters the session, where policies may ask for it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import structlog

from mutx.contract.guardrails import GuardrailResultQuestion, GuardrailResultVerdict
from mutx.kit.errors import MutxError
from mutx.services.mcp.results import OnSuspicion, suspicions
from mutx.services.mcp.scanning import Suspicion
from mutx.services.mcp.session import ProxySession
from mutx_agent.transport.base import Json

log = structlog.stdlib.get_logger("mutx.mcp")

SPEAKS = frozenset({"prompt_injection", "encoding", "llm_judge"})
"""Checks that fail where a text speaks to the model instead of to the person."""
FLAGS_ONLY = "permissive"
"""The profile that keeps nothing back, so neither does a check that could not be made."""
FINDINGS, UNCHECKED = "mutx/findings", "mutx/unchecked"
"""Keys of a result's `_meta`."""


class JudgedResult(NamedTuple):
    """`result`: what may go on, which is not what came where personal data were taken out; None: nothing."""

    result: Json | None
    found: tuple[Suspicion, ...] = ()
    meta: Mapping[str, Any] = MappingProxyType({})
    why: str = ""
    """Where nothing may go on."""


async def judged(session: ProxySession, result: Json) -> JudgedResult:
    """By the profile that whoever runs the proxy chose, and by the phrasings that the proxy knows itself."""
    scanned = suspicions(result, session.scanner)
    try:
        verdict = await session.look_at(_question(session, result))
    except MutxError as error:
        log.warning("a result could not be checked", session_id=session.line.session_id, error=str(error))
        if session.rules.profile != FLAGS_ONLY:
            return JudgedResult(None, why=f"it could not be checked ({error.code})")
        return _held(session, JudgedResult(result, tuple(scanned), {UNCHECKED: True}))
    failed = [check.name for check in verdict.checks if not check.passed]
    found = (*(Suspicion(name, "as EvalView reads it") for name in failed if name in SPEAKS), *scanned)
    if not verdict.allowed:
        return JudgedResult(None, found, why=f"guardrails refuse it ({verdict.reason or ', '.join(failed)})")
    meta = {FINDINGS: failed} if failed else {}
    return _held(session, JudgedResult(_passed_on(result, verdict), found, meta))


def _held(session: ProxySession, one: JudgedResult) -> JudgedResult:
    if not one.found or session.rules.on_suspicion is not OnSuspicion.WITHHOLD:
        return one
    kinds = ", ".join(suspicion.kind.replace("_", " ") for suspicion in one.found)
    return JudgedResult(None, one.found, why=f"it holds orders ({kinds})")


def _question(session: ProxySession, result: Json) -> GuardrailResultQuestion:
    line = session.line
    return GuardrailResultQuestion(
        result=result, profile=session.rules.profile, session_id=line.session_id, agent_id=line.agent_id
    )


def _passed_on(result: Json, verdict: GuardrailResultVerdict) -> Json:
    changed: Any = verdict.result
    return changed if isinstance(changed, dict) else result

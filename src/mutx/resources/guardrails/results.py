"""What a tool returned, checked text by text and put together again."""

import base64
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from mutx.contract.guardrails import (
    GuardrailCheck,
    GuardrailFinding,
    GuardrailResultQuestion,
    GuardrailResultVerdict,
)
from mutx.governance.noting import Noted
from mutx.kit.errors import TooLarge
from mutx.resources.guardrails.service import Guardrails, profile_named, reason_of
from mutx.services.evalview.profiles import CheckName, Direction, Profile, Reaction
from mutx.services.evalview.service import MAX_FINDINGS, Check, EvalView, Question, TextVerdict

MAX_TEXTS = 2000
MAX_CHARS = 1_000_000
DIRECTION = Direction.TOOL_RESULT
BLOBS = frozenset({"data", "blob"})
"""Fields that hold encoded bytes, of an image perhaps; what is written in them in words is read all the same."""
WHOLE = ""
"""Stands for all texts as one."""
SHORT = 3
"""Characters of a text in which nothing could be found."""


class Results:
    def __init__(self, guardrails: Guardrails, evalview: EvalView) -> None:
        self._guardrails = guardrails
        self._evalview = evalview

    async def check(self, body: GuardrailResultQuestion) -> GuardrailResultVerdict:
        """Raises NotFound for an unknown profile, TooLarge, Conflict for a closed session, Unavailable."""
        started = time.perf_counter()
        profile = profile_named(body.profile)
        verdicts = await self._read(body.result, profile)
        worst = max(verdicts.values(), key=_severity, default=None)
        allowed = all(one.allowed for one in verdicts.values())
        checks = _merged(verdicts)
        result = None
        if allowed:
            result = _replaced(body.result, lambda text: verdicts[text].text if text in verdicts else text)
        refusal = worst.refusal if worst is not None and not allowed else None
        receipt = None
        if body.session_id is not None:
            about = Noted(body.session_id, body.agent_id, DIRECTION.value, profile.name)
            receipt = await self._guardrails.note(about, checks, allowed=allowed)
        return GuardrailResultVerdict(
            allowed=allowed,
            checks=checks,
            latency_ms=round((time.perf_counter() - started) * 1000, 2),
            model=worst.model if worst is not None else self._evalview.model,
            result=result,
            reason=reason_of(refusal) if refusal else None,
            details=refusal.details if refusal else None,
            receipt_id=receipt,
        )

    async def _read(self, result: Any, profile: Profile) -> Mapping[str, TextVerdict]:
        """Every text once, up to the first that is refused; and, as an order may be spread over several, all as one.

        A judge reads them as one only.
        """
        texts = list(dict.fromkeys(text for text in _texts(result) if len(text) > SHORT))
        if len(texts) > MAX_TEXTS or sum(map(len, texts)) > MAX_CHARS:
            raise TooLarge(f"a result of more than {MAX_TEXTS} texts or {MAX_CHARS} characters is not checked")
        found: dict[str, TextVerdict] = {}
        alone = profile if len(texts) == 1 else _only(profile, lambda name: name is not CheckName.JUDGE)
        questions = [Question(text=text, direction=DIRECTION, profile=alone) for text in texts]
        if len(texts) > 1:
            whole = _only(profile, lambda name: name in (CheckName.JUDGE, CheckName.INJECTION))
            questions.append(Question(text="\n".join(texts), direction=DIRECTION, profile=whole))
        for place, question in enumerate(questions):
            verdict = await self._evalview.check(question)
            found[question.text if place < len(texts) else WHOLE] = verdict
            if not verdict.allowed:
                break
        return found


def _only(profile: Profile, wanted: Callable[[CheckName], bool]) -> Profile:
    return replace(profile, input={name: reaction for name, reaction in profile.input.items() if wanted(name)})


def _severity(verdict: TextVerdict) -> tuple[bool, int]:
    return not verdict.allowed, sum(not check.passed for check in verdict.checks)


def _merged(verdicts: Mapping[str, TextVerdict]) -> list[GuardrailCheck]:
    """One check of each name, failed if it failed in any text, with one finding of each kind."""
    every = [check for verdict in verdicts.values() for check in verdict.checks]
    return [_shown([check for check in every if check.name is name]) for name in dict.fromkeys(c.name for c in every)]


def _shown(same: Sequence[Check]) -> GuardrailCheck:
    """Places in single texts would say nothing here."""
    worst = min(same, key=lambda check: (check.passed, check.reaction is not Reaction.BLOCK))
    kinds = {found.kind: found for check in same for found in check.findings}
    findings = [GuardrailFinding(kind=kind, confidence=found.confidence) for kind, found in kinds.items()]
    shown = GuardrailCheck.model_validate(msgspec.to_builtins(worst))
    return shown.model_copy(update={"findings": findings[:MAX_FINDINGS]})


def _texts(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            waiting += [inner for name, inner in reversed(item.items()) if not _is_blob(name, inner)]
            waiting += [name for name in item if " " in name]  # a name, as a rule, is one word
        elif isinstance(item, list):
            waiting += reversed(item)


def _is_blob(name: str, value: Any) -> bool:
    if name not in BLOBS or not isinstance(value, str):
        return False
    try:
        base64.b64decode(value, validate=True).decode("utf-8")
    except UnicodeDecodeError:
        return True
    except ValueError:  # no base64
        return False
    return False


def _replaced(value: Any, of: Callable[[str], str | None]) -> Any:
    if isinstance(value, str):
        return of(value)
    if isinstance(value, dict):
        return {name: inner if _is_blob(name, inner) else _replaced(inner, of) for name, inner in value.items()}
    return [_replaced(inner, of) for inner in value] if isinstance(value, list) else value

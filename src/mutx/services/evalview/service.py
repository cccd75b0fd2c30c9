"""EvalView: one text in, one verdict out. Detection is a signal; the boundary is what policy lets an agent do."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from msgspec import Struct
from msgspec.structs import replace

from mutx.kit.errors import Unavailable
from mutx.services.evalview.injection.detector import Injection, find_injection
from mutx.services.evalview.injection.model import shipped
from mutx.services.evalview.judge import LlmJudge, WhenSilent
from mutx.services.evalview.leaks import find_leaks
from mutx.services.evalview.pii import PersonalData, find_personal
from mutx.services.evalview.plain import PlainText, plain
from mutx.services.evalview.profiles import CheckName, Direction, Profile, Reaction
from mutx.services.evalview.redact import OutputEncoding, Redaction, encoded, mask, tokenise
from mutx.services.evalview.tokens import BoundTokenizer, Tokenizer
from mutx.services.evalview.toxicity import Toxic, ToxicityEndpoint, find_toxic

AT_ONCE = 2
"""Threads that read texts: reading is pure Python and would hold the loop."""
MAX_WAITING = 64
"""Texts that wait for a thread; beyond, the caller is told to come back."""
MAX_FINDINGS = 100
UNAVAILABLE = "unavailable"
"""The kind of finding that says that nobody could look."""
LISTS_SILENT = 0.5
"""How surely a text is clean of which the word lists say nothing: they know what is plainly said, and no more."""


class Question(Struct, frozen=True, kw_only=True):
    text: str
    direction: Direction
    profile: Profile
    system_prompt: str = ""
    canaries: tuple[str, ...] = ()
    redaction: Redaction = Redaction.MASK
    encoding: OutputEncoding = OutputEncoding.NONE


class CheckFinding(Struct, frozen=True):
    """One thing found. Never the value itself."""

    kind: str
    start: int | None = None
    stop: int | None = None
    confidence: float | None = None


class Check(Struct, frozen=True, kw_only=True):
    name: CheckName
    passed: bool
    reaction: Reaction
    confidence: float | None = None
    findings: tuple[CheckFinding, ...] = ()
    details: str = ""


class TextVerdict(Struct, frozen=True, kw_only=True):
    """`text`: what may go on: None where nothing may. `values`: marks -> values of a reversible redaction."""

    allowed: bool
    checks: tuple[Check, ...]
    model: str
    text: str | None
    values: dict[str, str] = {}

    @property
    def refusal(self) -> Check | None:
        """The check that refused, the most confident first."""
        failed = [check for check in self.checks if not check.passed and check.reaction is Reaction.BLOCK]
        return max(failed, key=lambda check: check.confidence or 0, default=None)


class EvalView:
    """`personal`: finds personal data; the shipped recognisers unless the installation has Presidio as well."""

    def __init__(
        self,
        *,
        tokenizer: Tokenizer | None = None,
        judge: LlmJudge | None = None,
        toxicity: ToxicityEndpoint | None = None,
        personal: Callable[[str], Sequence[PersonalData]] = find_personal,
    ) -> None:
        self._tokenizer = tokenizer or BoundTokenizer()
        self._judge = judge
        self._toxicity = toxicity
        self._personal = personal
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="evalview")
        self._waiting = 0

    @property
    def model(self) -> str:
        return shipped().card.name

    @property
    def tokenizer(self) -> str:
        return self._tokenizer.name

    async def check(self, question: Question) -> TextVerdict:
        """Every check that the profile asks for. Raises Unavailable where too many texts wait."""
        if self._waiting >= MAX_WAITING:
            raise Unavailable("too many texts wait to be checked; try again in a second")
        self._waiting += 1
        try:
            verdict = await asyncio.get_running_loop().run_in_executor(self._threads, self.read, question)
        finally:
            self._waiting -= 1
        verdict = await self._with_toxicity(question, verdict)
        return await self._with_judge(question, verdict)

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._judge is not None:
            await self._judge.close()
        if self._toxicity is not None:
            await self._toxicity.close()

    def read(self, question: Question) -> TextVerdict:
        """All that needs no network."""
        reactions = {name: question.profile.reaction(name, question.direction) for name in CheckName}
        wanted = {name: reaction for name, reaction in reactions.items() if reaction is not Reaction.OFF}
        seen = plain(question.text)
        checks: list[Check] = []
        text = question.text
        if reaction := wanted.get(CheckName.ENCODING):
            checks.append(_encoding(seen, reaction))
            if reaction is Reaction.REDACT and not checks[-1].passed:
                text = seen.text
        if reaction := wanted.get(CheckName.LENGTH):
            check, text = self._length(question, text, reaction)
            checks.append(check)
        if reaction := wanted.get(CheckName.INJECTION):
            checks.append(_injection(find_injection(seen), reaction))
        if reaction := wanted.get(CheckName.LEAK):
            checks.append(_leak(question, reaction))
        if reaction := wanted.get(CheckName.TOXIC):
            # What stands in an encoded layer has no place in the text.
            buried = (Toxic(one.category, one.score) for layer in seen.layers for one in find_toxic(layer))
            checks.append(_toxic((*find_toxic(seen.text), *buried), reaction, clean=LISTS_SILENT))
        values: dict[str, str] = {}
        if reaction := wanted.get(CheckName.PII):
            check, text, values = self._pii(question, text, seen, reaction)
            checks.append(check)
        return _verdict(tuple(checks), self.model, encoded(text, question.encoding), values)

    def _length(self, question: Question, text: str, reaction: Reaction) -> tuple[Check, str]:
        profile = question.profile
        output = question.direction is Direction.OUTPUT
        limit = profile.max_output_tokens if output else profile.max_input_tokens
        # A text of so many characters has more tokens for certain; counting it would only cost.
        # One of fewer bytes has fewer for certain: no token is shorter than a byte.
        size = len(text.encode(errors="replace"))
        count = size if size <= limit else limit + 1 if len(text) > limit * 64 else self._tokenizer.count(text)
        passed = count <= limit
        if not passed and reaction is Reaction.REDACT:
            text = self._tokenizer.cut(text[: limit * 64], limit)
        details = "" if passed else f"more than {limit} tokens ({self._tokenizer.name})"
        return Check(name=CheckName.LENGTH, passed=passed, reaction=reaction, confidence=1.0, details=details), text

    def _pii(
        self, question: Question, text: str, seen: PlainText, reaction: Reaction
    ) -> tuple[Check, str, dict[str, str]]:
        found = self._personal(text)
        # Disguised data cannot be cut out of the text as it came: then the text without disguise goes on.
        if reaction is Reaction.REDACT and text != seen.text and len(self._personal(seen.text)) > len(found):
            text, found = seen.text, self._personal(seen.text)
        buried = [one for layer in seen.layers for one in self._personal(layer)]
        check = Check(
            name=CheckName.PII,
            passed=not found and not buried,
            # What is encoded in a text cannot be taken out of it.
            reaction=Reaction.BLOCK if buried and reaction is Reaction.REDACT else reaction,
            confidence=max((one.confidence for one in (*found, *buried)), default=None),
            findings=(
                *(CheckFinding(one.kind, one.start, one.stop, one.confidence) for one in found[:MAX_FINDINGS]),
                *(CheckFinding(one.kind, confidence=one.confidence) for one in buried[:MAX_FINDINGS]),
            ),
            details=f"personal data: {', '.join(sorted({one.kind for one in (*found, *buried)}))}"
            if found or buried
            else "",
        )
        if reaction is not Reaction.REDACT or not found:
            return check, text, {}
        if question.redaction is Redaction.TOKENS:
            text, values = tokenise(text, found)
            return check, text, values
        return check, mask(text, found), {}

    async def _undisguised(self, text: str) -> str:
        """`text` as a model reads it: without disguise, and what is encoded in it below."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, _readable, text)

    async def _with_toxicity(self, question: Question, verdict: TextVerdict) -> TextVerdict:
        reaction = question.profile.reaction(CheckName.TOXIC, question.direction)
        if self._toxicity is None or reaction is Reaction.OFF or not verdict.allowed:
            return verdict
        try:
            scores = await self._toxicity.find(await self._undisguised(question.text))
        except Unavailable as error:
            check = _unanswered(CheckName.TOXIC, reaction, error)
        else:
            check = _toxic(scores.found, reaction, clean=round(1 - scores.highest, 4))
        before = next(one for one in verdict.checks if one.name is CheckName.TOXIC)
        if check.passed and not before.passed:
            return verdict
        check = replace(check, findings=(*before.findings, *check.findings)[:MAX_FINDINGS])
        checks = tuple(check if one is before else one for one in verdict.checks)
        return _verdict(checks, verdict.model, verdict.text, verdict.values)

    async def _with_judge(self, question: Question, verdict: TextVerdict) -> TextVerdict:
        """The judge is asked only about what the lower layers would let through: it can refuse and never allow."""
        reaction = question.profile.reaction(CheckName.JUDGE, question.direction)
        if self._judge is None or reaction is Reaction.OFF or not verdict.allowed:
            return verdict
        model = f"{verdict.model}+{self._judge.model}"
        try:
            found = await self._judge.judge(await self._undisguised(question.text))
        except Unavailable as error:
            lower = self._judge.when_silent is WhenSilent.LOWER
            check = _unanswered(CheckName.JUDGE, reaction, error, passed=lower)
        else:
            check = Check(
                name=CheckName.JUDGE,
                passed=not found.attack,
                reaction=reaction,
                confidence=found.confidence,
                details="the judge takes this for an attack" if found.attack else "",
            )
        return _verdict((*verdict.checks, check), model, verdict.text, verdict.values)


def _verdict(checks: tuple[Check, ...], model: str, text: str | None, values: dict[str, str]) -> TextVerdict:
    refused = any(not check.passed and check.reaction is Reaction.BLOCK for check in checks)
    verdict = TextVerdict(allowed=not refused, checks=checks, model=model, text=text, values=values)
    return replace(verdict, text=None, values={}) if refused else verdict


def _encoding(seen: PlainText, reaction: Reaction) -> Check:
    findings = [
        CheckFinding(kind)
        for kind, there in (
            ("invisible_characters", seen.hidden > 0),
            ("bidirectional_override", seen.bidi),
            ("mixed_alphabets", seen.lookalikes > 0),
        )
        if there
    ]
    details = "characters that hide or disguise text" if findings else ""
    return Check(
        name=CheckName.ENCODING,
        passed=not findings,
        reaction=reaction,
        confidence=1.0,
        findings=tuple(findings),
        details=details,
    )


def _injection(found: Injection, reaction: Reaction) -> Check:
    details = "Potential prompt injection or jailbreak attempt detected" if found.detected else ""
    if found.detected and found.layer:
        details += ", in text that was encoded"
    return Check(
        name=CheckName.INJECTION,
        passed=not found.detected,
        reaction=reaction,
        confidence=round(found.confidence, 4),
        findings=tuple(CheckFinding(signal) for signal in found.signals) if found.detected else (),
        details=details,
    )


def _leak(question: Question, reaction: Reaction) -> Check:
    found = find_leaks(question.text, system_prompt=question.system_prompt, canaries=question.canaries)
    return Check(
        name=CheckName.LEAK,
        passed=not found,
        reaction=reaction,
        confidence=max((one.confidence for one in found), default=1.0),
        findings=tuple(CheckFinding(one.kind, confidence=one.confidence) for one in found),
        details="what must stay inside is in this text" if found else "",
    )


def _unanswered(name: CheckName, reaction: Reaction, error: Unavailable, *, passed: bool = False) -> Check:
    """Nobody looked: that is no finding about the text."""
    return Check(
        name=name,
        passed=passed,
        reaction=reaction,
        confidence=0.0,
        findings=() if passed else (CheckFinding(UNAVAILABLE),),
        details=str(error),
    )


def _readable(text: str) -> str:
    seen = plain(text)
    return "\n".join((seen.text, *seen.layers))


def _toxic(found: Sequence[Toxic], reaction: Reaction, *, clean: float) -> Check:
    """`clean`: how surely it is not, where nothing was found."""
    return Check(
        name=CheckName.TOXIC,
        passed=not found,
        reaction=reaction,
        confidence=max((one.score for one in found), default=clean),
        findings=tuple(CheckFinding(one.category, one.start, one.stop, one.score) for one in found[:MAX_FINDINGS]),
        details=f"toxic content: {', '.join(sorted({one.category for one in found}))}" if found else "",
    )

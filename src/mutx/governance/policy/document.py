"""A PolicySet document from text: `load(text, format="yaml")` -> PolicyDocument.

All problems of a document are found in one go and raised together, each with its line.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from msgspec.structs import replace

from mutx.governance.policy.faults import Fault, Faults
from mutx.governance.policy.fpl import read_fpl
from mutx.governance.policy.grammar import DOCUMENT
from mutx.governance.policy.json_quick import quick_json
from mutx.governance.policy.json_text import read_json
from mutx.governance.policy.model import Composition, PolicyDocument, PolicyRule, RuleEffect, RuleMatch
from mutx.governance.policy.nodes import MAX_BYTES, Node, PolicyProblem, Quick, refuse
from mutx.governance.policy.phases import PhasePlan
from mutx.governance.policy.uncollected import uncollected
from mutx.governance.policy.yaml_quick import quick_yaml
from mutx.governance.policy.yaml_text import read_yaml
from mutx.kit.canonical import digest
from mutx.kit.errors import InputError, PolicyInvalid

DocumentFormat = Literal["yaml", "json", "fpl"]
FORBIDDEN_ID = "forbidden:"
"""Rules made from the `forbidden` list: `forbidden:<glob>`; no written id may hold a colon."""


def load(text: str, *, format: DocumentFormat = "yaml", name: str = "fpl") -> PolicyDocument:  # noqa: A002 - the word for it
    """Read and check one document. `name`: what one in FPL is called, which cannot say so itself.

    Raises PolicyInvalid; `details["problems"]` lists line, column, code, message.
    """
    with uncollected():
        _check_size(text)
        quick = None
        if format != "fpl":
            quick = quick_json(text) if format == "json" else quick_yaml(text)
        if quick is None:
            root = parse(text, format=format, name=name)
            quick = Quick(root.plain(), _lines(root))
        faults: Faults = []
        document = _document(quick, faults)
        if document is None:
            root = parse(text, format=format, name=name)
            raise refuse([fault.located(root) for fault in faults], document=_name(quick.content))
        if wrong := [*_duplicates(document), *_lost(document)]:
            raise refuse(wrong, document=document.name)
        return document


def parse(text: str, *, format: DocumentFormat = "yaml", name: str = "fpl") -> Node:  # noqa: A002 - the word for it
    """The text as a tree with places. Raises PolicyInvalid."""
    _check_size(text)
    if format == "fpl":
        return read_fpl(text, name=name)
    return read_json(text) if format == "json" else read_yaml(text)


def _check_size(text: str) -> None:
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "replace")) > MAX_BYTES:
        message = f"a policy document has at most {MAX_BYTES // 1_000_000} MB; split it into several"
        raise refuse([PolicyProblem(line=1, code="too_large", message=message)])


def _document(quick: Quick, faults: Faults) -> PolicyDocument | None:
    """The document that the values say; None where that is none, and `faults` says why."""
    fields = DOCUMENT.read(quick.content, faults, quick.lines)
    if faults:
        return None
    rules = (*fields.pop("rules", ()), *_forbidden(fields.pop("forbidden", ())))
    compositions = tuple(_numbered(fields.pop("forbid", ())))
    try:
        digest_of = _digest(quick.content)
    except InputError as error:
        faults.append(Fault("not_json", f"a value cannot be told exactly in JSON: {error}"))
        return None
    return PolicyDocument(**fields, rules=rules, forbid=compositions, content=quick.content, digest=digest_of)


def _lines(root: Node) -> dict[str, Any]:
    """What the quick readers tell, from a tree."""
    if not isinstance(root.value, dict):
        return {}
    found: dict[str, Any] = {}
    for name, node in root.value.items():
        if isinstance(node.value, list):
            found[name] = [entry.line for entry in node.value]
        elif isinstance(node.value, dict):
            found[name] = {key: line for key, (line, _) in node.keys.items()}
    return found


def _digest(content: Any) -> str:
    """Entry by entry, so that no single step over a large document holds up other threads. Raises InputError."""
    return digest({key: _entries_digest(value) for key, value in content.items()})


def _entries_digest(value: Any) -> Any:
    return [digest(entry) for entry in value] if isinstance(value, list) else value


def _name(content: Any) -> str:
    name = content.get("name") if isinstance(content, dict) else None
    return name[:128] if isinstance(name, str) else ""


def _forbidden(globs: Iterable[str]) -> Iterator[PolicyRule]:
    for glob in dict.fromkeys(globs):
        yield PolicyRule(
            id=f"{FORBIDDEN_ID}{glob}",
            name=f"{FORBIDDEN_ID}{glob}",
            effect=RuleEffect.DENY,
            final=True,
            match=RuleMatch(tool=glob),
            reason=f"{glob} is forbidden",
        )


def _numbered(found: Iterable[Composition]) -> Iterator[Composition]:
    for number, one in enumerate(found, 1):
        yield one if one.id else replace(one, id=f"forbid-{number}")


def _duplicates(document: PolicyDocument) -> Iterator[PolicyProblem]:
    rules = (*document.rules, *document.limits, *document.rewrites)
    named = [("rule id", rule.id, rule.line) for rule in rules]
    named += [("phase", f"{phase.agent}/{phase.id}", phase.line) for phase in document.phases]
    named += [("rule id", one.id, one.line) for one in document.forbid]
    named += [("tool", tool.schema.name, tool.line) for tool in document.tools]
    seen: dict[tuple[str, str], int] = {}
    for kind, name, line in named:
        first = seen.get((kind, name))
        if first is None:
            seen[kind, name] = line
        else:
            yield PolicyProblem(
                line=line, code="duplicate", message=f"{kind} `{name}` is already taken on line {first}"
            )


def _lost(document: PolicyDocument) -> Iterator[PolicyProblem]:
    """Phases that lead nowhere, or back."""
    for agent in dict.fromkeys(phase.agent for phase in document.phases):
        mine = [phase for phase in document.phases if phase.agent == agent]
        try:
            PhasePlan(document.name, mine)
        except PolicyInvalid as error:
            yield PolicyProblem(line=mine[0].line, code="phases", message=str(error))

"""A PolicySet document from text: `load(text, format="yaml")` -> PolicyDocument.

All problems of a document are found in one go and raised together, each with its line.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from msgspec.structs import replace

from mutx.governance.policy.grammar import DOCUMENT
from mutx.governance.policy.json_text import read_json
from mutx.governance.policy.model import Composition, PolicyDocument, PolicyRule, RuleEffect, RuleMatch
from mutx.governance.policy.nodes import MAX_BYTES, Node, PolicyProblem, refuse
from mutx.governance.policy.uncollected import uncollected
from mutx.governance.policy.yaml_text import read_yaml
from mutx.kit.canonical import digest
from mutx.kit.errors import InputError

DocumentFormat = Literal["yaml", "json"]
FORBIDDEN_ID = "forbidden:"
"""Rules made from the `forbidden` list: `forbidden:<glob>`; no written id may hold a colon."""


def load(text: str, *, format: DocumentFormat = "yaml") -> PolicyDocument:  # noqa: A002 - the word for it
    """Read and check one document. Raises PolicyInvalid; `details["problems"]` lists line, column, code, message."""
    with uncollected():
        root = parse(text, format=format)
        document = read_document(root)
        _dismantle(root)
        return document


def parse(text: str, *, format: DocumentFormat = "yaml") -> Node:  # noqa: A002 - the word for it
    """The text as a tree with places. Raises PolicyInvalid."""
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "replace")) > MAX_BYTES:
        message = f"a policy document has at most {MAX_BYTES // 1_000_000} MB; split it into several"
        raise refuse([PolicyProblem(line=1, code="too_large", message=message)])
    return read_json(text) if format == "json" else read_yaml(text)


def read_document(root: Node) -> PolicyDocument:
    """Raises PolicyInvalid with every problem of the tree."""
    content = root.plain()
    problems: list[PolicyProblem] = []
    fields = DOCUMENT.read(root, problems)
    if problems:
        raise refuse(problems, document=_name(content))
    rules = (*fields.pop("rules", ()), *_forbidden(fields.pop("forbidden", ())))
    compositions = tuple(_numbered(fields.pop("forbid", ())))
    document = PolicyDocument(
        **fields, rules=rules, forbid=compositions, content=content, digest=_digest(root, content)
    )
    if twice := list(_duplicates(document)):
        raise refuse(twice, document=document.name)
    return document


def _dismantle(root: Node) -> None:
    """Free the tree piece by piece: all at once would hold up other threads."""
    stack = [root]
    while stack:
        value = stack.pop().value
        if isinstance(value, dict):
            stack += value.values()
            value.clear()
        elif isinstance(value, list):
            stack += value
            value.clear()


def _digest(root: Node, content: Any) -> str:
    """Entry by entry, so that no single step over a large document holds up other threads."""
    try:
        return digest({key: _entries_digest(value) for key, value in content.items()})
    except InputError as error:
        raise refuse([root.problem("not_json", f"a value cannot be told exactly in JSON: {error}")]) from error


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
    named = [("rule id", rule.id, rule.line) for rule in document.rules]
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

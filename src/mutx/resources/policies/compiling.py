"""From what is stored to what decides. CPU work: call it off the event loop."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace
from pydantic import TypeAdapter

from mutx.contract.policies import PolicyKind, PolicyWrite, Rule
from mutx.governance.policy.compile import compile_policies
from mutx.governance.policy.document import DocumentFormat, load
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.policy.finding import Finding, LintSeverity
from mutx.governance.policy.fpl import looks_like_fpl
from mutx.governance.policy.lint import lint
from mutx.governance.policy.model import PolicyDocument
from mutx.governance.policy.nodes import PolicyProblem, refuse
from mutx.governance.policy.short import ShortPolicy, short_policy
from mutx.kit.errors import InputError, PolicyInvalid

NO_POLICY = """
name: no-policy
default: deny
rules:
  - id: apply-one
    name: no policy is in force
    effect: deny
    reason: no policy is in force in this workspace; apply one with `mutx policies apply <file>`
"""


class StoredPolicy(Struct, frozen=True, kw_only=True):
    """A policy as its row has it."""

    id: str
    name: str
    version: int
    kind: PolicyKind
    document: str
    digest: str


def read_document(name: str, kind: PolicyKind, text: str) -> PolicyDocument:
    """What is to be compiled. Raises PolicyInvalid, with every problem and its line."""
    if kind is PolicyKind.SHORT:
        return read_short(name, text).document
    if kind is PolicyKind.FPL:
        return load(text, format="fpl", name=name)
    found = replace(load(text, format=format_of(text)), enabled=True)
    if found.name != name:
        raise PolicyInvalid(
            f"the document calls itself {found.name!r}; give it the name {name!r}, or put it under its own"
        )
    return found


def read_short(name: str, text: str) -> ShortPolicy:
    """Raises PolicyInvalid; a problem's line is the number of its rule."""
    return short_policy(name, [rule.model_dump(mode="json") for rule in read_rules(text)])


def format_of(text: str) -> DocumentFormat:
    """What a document is written in, by how it begins."""
    if text.lstrip().startswith("{"):
        return "json"
    return "fpl" if looks_like_fpl(text) else "yaml"


def checked(name: str, kind: PolicyKind, text: str) -> PolicyDocument:
    """A document that may be stored. Raises PolicyInvalid also for what is well formed and can never do what it says."""
    document = read_document(name, kind, text)
    errors = [finding for finding in lint([document]) if finding.severity is LintSeverity.ERROR]
    if errors:
        raise refuse([_problem(finding) for finding in errors], document=name)
    return document


def _problem(finding: Finding) -> PolicyProblem:
    rule = f"rule {finding.rule}: " if finding.rule else ""
    return PolicyProblem(line=finding.line, code=finding.code, message=f"{rule}{finding.message}")


def read_rules(text: str) -> list[Rule]:
    """The short rules that `write_rules` wrote."""
    return RULES.validate_json(text)


def write_rules(rules: Sequence[Rule]) -> str:
    """Short rules as they are stored."""
    return RULES.dump_json(list(rules)).decode()


def content_of(wanted: PolicyWrite) -> tuple[PolicyKind, str]:
    """Kind and stored text of what was sent. Raises InputError if it is neither short rules nor a document."""
    if wanted.document is not None and wanted.rules:
        raise InputError("send short `rules` or a `document`, not both")
    if wanted.document is not None:
        fpl = wanted.kind is PolicyKind.FPL or looks_like_fpl(wanted.document)
        return PolicyKind.FPL if fpl else PolicyKind.SET, wanted.document
    return PolicyKind.SHORT, write_rules(wanted.rules)


def build(documents: Sequence[PolicyDocument]) -> PolicyEngine:
    """The engine over `documents`; with none of them, one that denies everything and says what to do."""
    return PolicyEngine(compile_policies(documents or (load(NO_POLICY),)))


RULES = TypeAdapter(list[Rule])

"""Remarks on a document that nobody has stored."""

import asyncio
from collections.abc import Mapping
from typing import Any

from mutx.contract.policies import PolicyFinding, PolicyLintResult
from mutx.governance.policy.document import load
from mutx.governance.policy.finding import Finding, LintSeverity
from mutx.governance.policy.lint import lint
from mutx.kit.errors import PolicyInvalid
from mutx.resources.policies.compiling import format_of


async def findings(text: str) -> PolicyLintResult:
    """Every problem of a document that does not compile, else what looks like a mistake in it."""
    found = await asyncio.to_thread(_findings, text)
    return PolicyLintResult(valid=all(each.severity != "error" for each in found), findings=found)


def _findings(text: str) -> list[PolicyFinding]:
    try:
        document = load(text, format=format_of(text))
    except PolicyInvalid as error:
        return [_problem(problem) for problem in error.details["problems"]]
    return [_finding(finding) for finding in lint([document])]


def _problem(problem: Mapping[str, Any]) -> PolicyFinding:
    return PolicyFinding(
        severity="error",
        code=problem["code"],
        message=problem["message"],
        line=problem["line"],
        column=problem.get("column"),
    )


def _finding(finding: Finding) -> PolicyFinding:
    return PolicyFinding(
        severity="error" if finding.severity is LintSeverity.ERROR else "warning",
        code=finding.code,
        message=finding.message,
        line=finding.line,
        rule=finding.rule or None,
    )

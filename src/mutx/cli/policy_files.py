"""Policy documents in files, and what is to be said about them."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from mutx.cli.files import text_of
from mutx.contract.policies import PolicyKind
from mutx.governance.policy.document import DocumentFormat, load
from mutx.governance.policy.lint import lint
from mutx.governance.policy.model import PolicyDocument
from mutx.kit.errors import PolicyInvalid


class Remark(NamedTuple):
    """One thing about a document. An `error` keeps it from being applied."""

    severity: str
    code: str
    message: str
    line: int | None = None
    column: int | None = None
    rule: str | None = None


def remarks(file: Path) -> list[Remark]:
    """What keeps a document from being applied; if nothing does, what is odd about it."""
    try:
        found = lint([_load(file)])
    except PolicyInvalid as error:
        return problems(error)
    return [Remark(one.severity.value, one.code, one.message, one.line, rule=one.rule) for one in found]


def read_policy(file: Path) -> PolicyDocument:
    """Raises PolicyInvalid with the place of every problem."""
    try:
        return _load(file)
    except PolicyInvalid as error:
        places = [f"  {file}:{one.line or 1}:{one.column or 1}: {one.message} [{one.code}]" for one in problems(error)]
        raise PolicyInvalid("\n".join([f"{file} does not compile", *places]), details=error.details) from error


def problems(error: PolicyInvalid) -> list[Remark]:
    found = error.details.get("problems") or [{"code": error.code, "message": str(error)}]
    return [Remark("error", one["code"], one["message"], one.get("line"), one.get("column")) for one in found]


def _load(file: Path) -> PolicyDocument:
    formats: Mapping[str, DocumentFormat] = {".json": "json", ".fpl": "fpl"}
    return load(text_of(file), format=formats.get(file.suffix, "yaml"), name=name_of(file))


def name_of(file: Path) -> str:
    """What the policy in a file is called that cannot say so itself: one in FPL."""
    return _NO_NAME.sub("-", file.stem).strip("-")[:128] or "fpl"


def kind_of(file: Path) -> PolicyKind | None:
    """What to send beside the document."""
    return PolicyKind.FPL if file.suffix == ".fpl" else None


_NO_NAME = re.compile(r"[^A-Za-z0-9._-]+|^[._-]+")

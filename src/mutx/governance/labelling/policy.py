"""Labels as a PolicySet document: every tool declared, allowed, and asked about where its declaration says so."""

import re
from collections.abc import Iterable
from typing import Any

from mutx.governance.labelling.acts import shared_prefixes
from mutx.governance.labelling.label import ToolLabel, label
from mutx.governance.labelling.spec import ToolSpec
from mutx.governance.tools import Access

_NO_ID = re.compile(r"[^A-Za-z0-9._-]+")


def propose(tools: Iterable[ToolSpec], name: str = "labelled") -> dict[str, Any]:
    """A whole document; the same for the same tools in whatever order."""
    every = sorted(tools, key=lambda one: one.name)
    prefixes = shared_prefixes(every)
    labels = [label(tool, prefixes) for tool in every]
    return {
        "name": name,
        "description": "Proposed from the tools' own words: read it, correct it, then apply it.",
        "default": "deny",
        "tools": {one.name: declaration(one) for one in labels},
        "rules": _rules(one.name for one in labels),
    }


def _rules(names: Iterable[str]) -> list[dict[str, Any]]:
    """One for each tool, called like it as far as an id may be."""
    used: set[str] = set()
    rules = []
    for number, name in enumerate(names):
        wanted = _NO_ID.sub("-", name).strip("-._")[:100] or "tool"
        called = wanted if wanted not in used else f"{wanted}-{number}"
        used.add(called)
        rules.append({"id": called, "match": {"tool": name}, "effect": "allow"})
    return rules


def declaration(one: ToolLabel) -> dict[str, Any]:
    found: dict[str, Any] = {
        "description": one.description,
        "access": one.access.value,
        "risk": "low" if one.access is Access.READ else "medium",
        "output": {"confidentiality": "internal", "trusted": one.trusted},
    }
    if one.outward:
        found["sink"] = "confidential"
    if one.critical:
        found |= {"critical": list(one.critical), "ask_instructed": True, "ask_invented": True}
    if one.referable:
        found["referable"] = list(one.referable)
    if one.selectable:
        found["selectable"] = list(one.selectable)
    found |= {key: True for key in ("lines", "records") if getattr(one, key)}
    if one.guarded:
        found["ask_instructed"] = found["ask_hearsay"] = True
    if one.requested_by is not None:
        words = one.requested_by
        found["ask_instructed"] = found["ask_hearsay"] = True
        found["requested_by"] = {"words": list(words.words), "verbs": list(words.verbs), "objects": list(words.objects)}
        found["requested_by"] |= {key: True for key in ("freely", "closely") if getattr(words, key)}
    return found

"""An agent's configuration, from what was sent to what is stored."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from mutx.contract.agent_configs import CONFIGS, AgentType
from mutx.kit.errors import InputError
from mutx.web import strict_json


def read_config(given: Mapping[str, Any] | str) -> dict[str, Any]:
    """An object, or one as JSON text. Raises InputError for text that is something else."""
    value = strict_json.parse(given.encode()) if isinstance(given, str) else dict(given)
    if not isinstance(value, dict):
        raise InputError("config must be a JSON object")
    return value


def complete(agent_type: AgentType, config: Mapping[str, Any], version: int) -> dict[str, Any]:
    """The configuration with its type's defaults filled in. Raises InputError that names what does not fit."""
    try:
        return CONFIGS[agent_type].model_validate({**config, "version": version}).model_dump(mode="json")
    except ValidationError as error:
        problems = [f"config.{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False)]
        raise InputError("; ".join(problems), details={"errors": problems}) from None


def initial(agent_type: AgentType, given: Mapping[str, Any] | str | None) -> dict[str, Any] | None:
    """Version 1. Without a config: the type's defaults, or None where the type has required values."""
    if given is not None:
        return complete(agent_type, read_config(given), 1)
    needed = any(field.is_required() for field in CONFIGS[agent_type].model_fields.values())
    return None if needed else complete(agent_type, {}, 1)


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7396: objects merge, null removes, everything else replaces."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def snapshot(config: Mapping[str, Any]) -> str:
    return json.dumps(config, sort_keys=True, ensure_ascii=False)

"""The Python SDK: `MutxClient`, `MutxAsyncClient`, and the names of `mutx_agent`.

Names load when they are first used, so that `import mutx.sdk` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mutx.sdk.client import MutxAsyncClient, MutxClient
    from mutx.sdk.guardrails import (
        EvalViewGuardrail,
        GuardrailMiddleware,
        GuardrailResult,
        PIIBlocklistGuardrail,
        RegexGuardrail,
        ToxicityGuardrail,
    )
    from mutx.sdk.message import Unreachable
    from mutx.sdk.policy import DEFAULT_GUARDRAIL_PROFILES, MutxPolicyClient
    from mutx_agent import ActionDenied, ApprovalTimeout, ControlPlaneUnreachable, Governor, OutcomeNotRecorded, govern
    from mutx_agent.client import MutxAgentClient

_HOMES = {
    "mutx.sdk.client": ("MutxAsyncClient", "MutxClient"),
    "mutx.sdk.guardrails": (
        "EvalViewGuardrail",
        "GuardrailMiddleware",
        "GuardrailResult",
        "PIIBlocklistGuardrail",
        "RegexGuardrail",
        "ToxicityGuardrail",
    ),
    "mutx.sdk.message": ("Unreachable",),
    "mutx.sdk.policy": ("DEFAULT_GUARDRAIL_PROFILES", "MutxPolicyClient"),
    "mutx_agent": (
        "ActionDenied",
        "ApprovalTimeout",
        "ControlPlaneUnreachable",
        "Governor",
        "OutcomeNotRecorded",
        "govern",
    ),
    "mutx_agent.client": ("MutxAgentClient",),
}

__all__ = [
    "DEFAULT_GUARDRAIL_PROFILES",
    "ActionDenied",
    "ApprovalTimeout",
    "ControlPlaneUnreachable",
    "EvalViewGuardrail",
    "Governor",
    "GuardrailMiddleware",
    "GuardrailResult",
    "MutxAgentClient",
    "MutxAsyncClient",
    "MutxClient",
    "MutxPolicyClient",
    "OutcomeNotRecorded",
    "PIIBlocklistGuardrail",
    "RegexGuardrail",
    "ToxicityGuardrail",
    "Unreachable",
    "govern",
]


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

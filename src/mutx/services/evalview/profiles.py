"""What each profile checks, and what it does where a check fails."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct


class Direction(StrEnum):
    INPUT = "input"
    """What somebody says to the agent."""
    OUTPUT = "output"
    """What the agent says."""
    TOOL_RESULT = "tool_result"
    """What a tool gave the agent: text that nobody vouches for."""


class Reaction(StrEnum):
    """What happens where a check finds something, from nothing to refusal."""

    OFF = "off"
    FLAG = "flag"
    """Told, not acted upon."""
    REDACT = "redact"
    """Taken out or cut; the rest goes on."""
    BLOCK = "block"


class CheckName(StrEnum):
    INJECTION = "prompt_injection"
    PII = "pii_detection"
    TOXIC = "toxic_content"
    LENGTH = "length"
    ENCODING = "encoding"
    LEAK = "prompt_leak"
    JUDGE = "llm_judge"


class Profile(Struct, frozen=True, kw_only=True):
    name: str
    input: Mapping[CheckName, Reaction]
    """Also for tool results."""
    output: Mapping[CheckName, Reaction]
    max_input_tokens: int
    max_output_tokens: int
    requests_per_minute: int = 100
    """Of one agent; beyond it the agent is slowed down."""

    def reaction(self, check: CheckName, direction: Direction) -> Reaction:
        table = self.output if direction is Direction.OUTPUT else self.input
        return table.get(check, Reaction.OFF)


_N = CheckName
_B, _R, _F = Reaction.BLOCK, Reaction.REDACT, Reaction.FLAG

PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            Profile(
                name="strict",
                input={_N.ENCODING: _B, _N.LENGTH: _B, _N.INJECTION: _B, _N.JUDGE: _B, _N.PII: _B, _N.TOXIC: _B},
                output={_N.LENGTH: _R, _N.LEAK: _B, _N.PII: _R, _N.TOXIC: _B},
                max_input_tokens=8_000,
                max_output_tokens=4_000,
                requests_per_minute=60,
            ),
            Profile(
                name="standard",
                input={_N.ENCODING: _R, _N.LENGTH: _B, _N.INJECTION: _B, _N.JUDGE: _B, _N.PII: _R, _N.TOXIC: _F},
                output={_N.LENGTH: _R, _N.LEAK: _B, _N.PII: _R, _N.TOXIC: _F},
                max_input_tokens=32_000,
                max_output_tokens=16_000,
            ),
            Profile(
                name="permissive",
                input={_N.ENCODING: _F, _N.LENGTH: _R, _N.INJECTION: _F, _N.JUDGE: _F, _N.PII: _F, _N.TOXIC: _F},
                output={_N.LENGTH: _R, _N.LEAK: _F, _N.PII: _F, _N.TOXIC: _F},
                max_input_tokens=128_000,
                max_output_tokens=64_000,
                requests_per_minute=600,
            ),
        )
    }
)

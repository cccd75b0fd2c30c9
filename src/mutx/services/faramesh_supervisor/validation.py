"""From what somebody asks to have run to what is run. Whatever is not allowed by name is refused."""

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from mutx.kit.errors import SupervisionValidationError
from mutx.services.faramesh_supervisor.config import LaunchProfile, SupervisionConfig

MAX_PARTS, MAX_PART = 64, 4096
MAX_ENV, MAX_VALUE = 64, 8192
MAX_POLICY_BYTES = 1_000_000
ENV_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}\Z")
POLICY_SUFFIXES = frozenset({".fpl", ".fms", ".yaml", ".yml"})
OURS = ("MUTX_", "FARAMESH_")
"""The supervisor sets these; nobody else does."""


class Runnable(Struct, frozen=True, kw_only=True):
    """What passed."""

    command: tuple[str, ...]
    env: Mapping[str, str]
    """Beside what every child gets."""
    profile: str | None
    policy: str | None
    """Name of a file in the policy folder."""
    cwd: str | None


def check(
    config: SupervisionConfig,
    command: Sequence[str],
    profile: str | None,
    env: Mapping[str, str],
    policy: str | None,
) -> Runnable:
    """Raises SupervisionValidationError, which says what to change."""
    chosen = None if profile is None else _profile(config, profile)
    wanted = policy if policy is not None else chosen.faramesh_policy if chosen else None
    runnable = Runnable(
        command=_command(config, command, chosen),
        env=_environment(config, env, chosen),
        profile=profile,
        policy=wanted,
        cwd=chosen.cwd if chosen else None,
    )
    if wanted is not None:
        policy_file(config, wanted)
    return runnable


def normalize_command(command: Sequence[str]) -> tuple[str, ...]:
    """The command as it is, if it can be one (technical reference §9)."""
    if not command:
        raise SupervisionValidationError("command must contain at least one executable")
    if len(command) > MAX_PARTS:
        raise SupervisionValidationError(f"command may have at most {MAX_PARTS} entries")
    for part in command:
        if not isinstance(part, str):
            raise SupervisionValidationError("command entries must be strings")
        if not part.strip():
            raise SupervisionValidationError("command entries must not be empty")
        if len(part) > MAX_PART or "\0" in part:
            raise SupervisionValidationError(f"command entries have at most {MAX_PART} characters, and no NUL")
    return tuple(command)


def _profile(config: SupervisionConfig, name: str) -> LaunchProfile:
    found = config.profiles.get(name)
    if found is None:
        raise SupervisionValidationError(f"there is no launch profile {name[:64]!r}; `profiles` lists those there are")
    return found


def _command(config: SupervisionConfig, command: Sequence[str], profile: LaunchProfile | None) -> tuple[str, ...]:
    if profile is not None:
        if command and tuple(command) != profile.command:
            raise SupervisionValidationError(
                "a launch profile has its own command; leave `command` out, or start without the profile"
            )
        return profile.command
    if not config.allow_direct_commands:
        raise SupervisionValidationError(
            "this installation starts launch profiles only: name one as `profile`; `profiles` lists them"
        )
    wanted = normalize_command(command)
    return (_executable(config, wanted[0]), *wanted[1:])


def _executable(config: SupervisionConfig, named: str) -> str:
    """Where an allowed executable lies. A path counts only if it is the one that its name alone would find."""
    name = Path(named).name
    found = shutil.which(name) if name in config.allowed_commands else None
    if found is None:
        allowed = ", ".join(config.allowed_commands) or "none"
        raise SupervisionValidationError(f"this executable may not be started here; allowed are: {allowed}")
    if "/" in named and Path(named).resolve() != Path(found).resolve():
        raise SupervisionValidationError(f"name the executable as {name}, without a path")
    return found


def _environment(
    config: SupervisionConfig, wanted: Mapping[str, str], profile: LaunchProfile | None
) -> Mapping[str, str]:
    allowed = frozenset(config.allowed_env_keys) | frozenset(profile.env_keys if profile else ())
    if len(wanted) > MAX_ENV:
        raise SupervisionValidationError(f"env may have at most {MAX_ENV} entries")
    for key, value in wanted.items():
        if not ENV_KEY.match(key) or key.startswith(OURS) or key not in allowed:
            listed = ", ".join(sorted(allowed)) or "none"
            raise SupervisionValidationError(f"env may not set {key[:64]!r}; allowed are: {listed}")
        if len(value) > MAX_VALUE or "\0" in value:
            raise SupervisionValidationError(f"the value of {key} has at most {MAX_VALUE} characters, and no NUL")
    return {**(profile.env if profile else {}), **wanted}


def policy_file(config: SupervisionConfig, name: str) -> Path:
    """The policy file of this name in the folder for them, and nowhere else: also not by a link that leads out of it."""
    if config.faramesh_bin is None:
        raise SupervisionValidationError(
            "a policy file needs FARAMESH_BIN; the native governor decides by the workspace's policies: `mutx policies apply`"
        )
    if config.allowed_policy_dir is None:
        raise SupervisionValidationError("no policy file may be named here: SUPERVISION_POLICY_DIR is not set")
    folder = config.allowed_policy_dir.resolve()
    found = folder
    try:
        found = (folder / name).resolve()
        inside = found.is_relative_to(folder) and found.is_file() and found.suffix in POLICY_SUFFIXES
        fits = inside and found.stat().st_size <= MAX_POLICY_BYTES
    except (OSError, ValueError):  # a name that no file can have
        fits = False
    if not fits:
        raise SupervisionValidationError(
            "faramesh_policy must name a policy file (.fpl, .fms, .yaml) of the policy folder"
        )
    return found

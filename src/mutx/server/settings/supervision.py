"""Settings of supervised agents and of the Faramesh socket."""

import shlex
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_settings import NoDecode

from mutx.kit.errors import SupervisionValidationError
from mutx.services.faramesh_supervisor.validation import ENV_KEY, OURS, normalize_command

Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Words = Annotated[tuple[str, ...], NoDecode]


class ProfileSetting(BaseModel):
    """One entry of SUPERVISION_PROFILES."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: tuple[str, ...]
    env: dict[str, str] = Field(default_factory=dict, repr=False)
    env_keys: tuple[str, ...] = ()
    faramesh_policy: str | None = None
    cwd: Path | None = None

    @model_validator(mode="after")
    def _can_be_run(self) -> Self:
        try:
            normalize_command(self.command)
        except SupervisionValidationError as error:
            raise ValueError(str(error)) from None
        for key in (*self.env, *self.env_keys):
            if not ENV_KEY.match(key) or key.startswith(OURS):
                raise ValueError(f"{key!r} is no name that a profile may set")
        if self.cwd is not None and not self.cwd.is_absolute():
            raise ValueError("cwd must be an absolute path")
        return self


class SupervisionSettings(BaseModel):
    """What may be run as a child process here, by whom, and how it is kept running. Nothing, unless it is named."""

    internal_user_email_domains: Words = ("mutx.dev",)
    """People with verified addresses of these may supervise; the local operator may as well."""
    supervision_profiles: dict[str, ProfileSetting] = {}
    """JSON: name -> command, env, env_keys, faramesh_policy, cwd."""
    supervision_allow_direct_commands: bool = False
    supervision_allowed_commands: Words = ()
    """Base names of executables, by comma. An interpreter among them runs anything."""
    supervision_allowed_env_keys: Words = ()
    supervision_policy_dir: Path | None = None
    supervision_launch_prefix: Words = ()
    """Words put before every command."""
    supervision_auto_restart: bool = True
    supervision_max_restarts: int = Field(3, ge=0, le=1000)
    supervision_restart_delay: Seconds = 5.0
    supervision_max_restart_delay: Seconds = 300.0
    supervision_stable_seconds: Seconds = 300.0
    supervision_health_check_interval: Seconds = 30.0
    supervision_shutdown_timeout: float = Field(10.0, ge=0, le=300)
    supervision_lease_seconds: Annotated[float, Field(ge=1, le=3600)] = 30.0
    """Beside other control planes only."""
    supervision_keep_on_exit: bool = False
    supervision_host_id: str = Field("", max_length=64)
    """Empty: a name made for this home directory."""
    faramesh_bin: Path | None = None
    faramesh_socket: Path | None = None
    """Empty: `run/faramesh.sock` in the home directory."""
    faramesh_enabled: bool = True
    """Serve the Faramesh protocol on that socket."""

    @field_validator(
        "internal_user_email_domains",
        "supervision_allowed_commands",
        "supervision_allowed_env_keys",
        mode="before",
    )
    @classmethod
    def _supervision_lists(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("supervision_launch_prefix", mode="before")
    @classmethod
    def _supervision_words(cls, value: object) -> object:
        return tuple(shlex.split(value)) if isinstance(value, str) else value

    @field_validator("internal_user_email_domains")
    @classmethod
    def _supervision_domains(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(domain.lower().removeprefix("@") for domain in value)

"""What may be supervised here, and how."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, field


class LaunchProfile(Struct, frozen=True, kw_only=True):
    """A command that the operator of this installation has put together; people pick it by name."""

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    """Values that it always gets."""
    env_keys: tuple[str, ...] = ()
    """What whoever starts it may set beside these."""
    faramesh_policy: str | None = None
    cwd: str | None = None


class SupervisionConfig(Struct, frozen=True, kw_only=True):
    """Times in seconds."""

    faramesh_bin: str | None = None
    """None: the native governor alone."""
    allowed_commands: tuple[str, ...] = ()
    """Base names of the executables that may be run without a profile."""
    allowed_env_keys: tuple[str, ...] = ()
    allow_direct_commands: bool = False
    """Otherwise people can start profiles only."""
    profiles: Mapping[str, LaunchProfile] = field(default_factory=dict)
    allowed_policy_dir: Path | None = None
    """Policy files that people may name lie in here."""
    launch_prefix: tuple[str, ...] = ()
    """Put before every command, like `mutx run --`."""
    socket_path: Path
    """Where the native governor listens."""
    mutx_socket: Path
    auto_restart: bool = True
    max_restarts: int = 3
    """Crashes in a row after which it stays down."""
    restart_delay: float = 5.0
    max_restart_delay: float = 300.0
    stable_seconds: float = 300.0
    """Whatever ran this long has not crashed in a row."""
    health_check_interval: float = 30.0
    shutdown_timeout: float = 10.0
    """From TERM to KILL."""
    lease_seconds: float = 0.0
    """Beside other control planes: a child ends when its own was not heard of for so long. 0: it stays."""
    internal_domains: frozenset[str] = frozenset()
    """Of the addresses of people who may have programs run here."""
    keep_on_exit: bool = False
    """Leave children running when the control plane stops, for the next one to adopt."""

    @property
    def enabled(self) -> bool:
        """Whether anything can be started."""
        return bool(self.profiles) or (self.allow_direct_commands and bool(self.allowed_commands))

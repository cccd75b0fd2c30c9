"""Where the control plane is and who this agent is: arguments, then environment, then the file `mutx login` or `mutx up` wrote."""

import json
import os
import stat
from pathlib import Path
from typing import Any, NamedTuple

EMBEDDED = "embedded:"
"""The url of a control plane inside this very process; what follows the colon is its home directory."""


class NotConfigured(Exception):
    """Nobody said where the control plane is, or the file that says it cannot be trusted."""


class AgentSettings(NamedTuple):
    """One endpoint and one identity. The key shows in no `repr`."""

    url: str | None = None
    socket: str | None = None
    api_key: str | None = None
    agent_id: str | None = None
    session_id: str | None = None
    timeout: float = 30.0
    """Seconds one call may take; waiting for people has a deadline of its own."""
    on_unrecorded: str = "warn"
    """`warn` or `raise`: what to do when an effect happened and its outcome could not be reported."""

    def __repr__(self) -> str:
        key = None if self.api_key is None else "***"
        return f"AgentSettings({self.socket or self.url}, agent_id={self.agent_id!r}, api_key={key!r})"

    @property
    def endpoint(self) -> str:
        """The address for people: socket, url or the word embedded."""
        return self.socket or self.url or "nowhere"


def mutx_home() -> Path:
    return Path(os.environ.get("MUTX_HOME") or Path.home() / ".mutx")


def load(**given: Any) -> AgentSettings:
    """Settings from `given`, the environment and the file, in this order. Raises NotConfigured.

    A key belongs to the address beside it: one from the file is not sent to another address that the environment names.
    """
    levels = [
        {name: value for name, value in given.items() if value is not None},
        _environment(),
        _file(mutx_home() / "client.json"),
    ]
    address = next(filter(None, map(_address, levels)), None)
    if address is None:
        raise NotConfigured(
            "no control plane is configured: run `mutx up` or `mutx login`, set MUTX_URL or MUTX_SOCKET, "
            "or call govern.configure(url=...)"
        )
    found: dict[str, Any] = {}
    for level in reversed(levels):
        other = _address(level)
        foreign = bool(other) and not (other.items() & address.items())
        found |= {name: value for name, value in level.items() if not (foreign and name == "api_key")}
    return AgentSettings(**{**found, "url": address.get("url"), "socket": address.get("socket")})


def _address(level: dict[str, Any]) -> dict[str, Any]:
    return {name: level[name] for name in ("url", "socket") if name in level}


def _environment() -> dict[str, Any]:
    names = ("url", "socket", "api_key", "agent_id", "session_id")
    return {name: value for name in names if (value := os.environ.get(f"MUTX_{name.upper()}"))}


def _file(path: Path) -> dict[str, Any]:
    """The client file, if there is one; it holds a key, so only its owner may read it."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise NotConfigured(f"{path} holds a key and others may read it: run `chmod 600 {path}`")
            content = json.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise NotConfigured(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise NotConfigured(f"{path} is not a JSON object: run `mutx login` to write it anew")
    return {name: value for name, value in content.items() if name in AgentSettings._fields and value is not None}

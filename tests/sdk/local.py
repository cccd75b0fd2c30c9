"""A real control plane for tests of the client side: `mutx up` in a process of its own, and people and agents at it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mutx.cli.demo.control_plane import LocalControlPlane
from mutx.contract.agents import AgentRegister
from mutx.contract.auth import LocalBootstrap
from mutx.contract.policies import PolicyWrite
from mutx.sdk import MutxClient
from mutx.sdk.credentials import MemoryTokens, TokenPair

POLICY = """
name: shop
default: deny
tools:
  wire: {critical: [to], ask_unknown: true}
rules:
  - {id: wire, match: {tool: wire}, effect: allow}
  - {id: small, match: {tool: pay}, when: args.amount <= 100, effect: allow, priority: 2}
  - {id: large, match: {tool: pay}, when: args.amount <= 1000, effect: step_up, priority: 3, reason: a large payment}
  - id: mail
    match: {tool: mail}
    effect: modify
    modify:
      - {redact: body, detector: ssn}
  - {id: read, match: {tool: "read*"}, effect: allow}
"""


@contextmanager
def control_plane(folder: Path) -> Iterator[LocalControlPlane]:
    home = folder / "home"
    home.mkdir(mode=0o700)
    (home / ".env").write_text("RATE_LIMIT_REQUESTS=100000\nAUTH_RATE_LIMIT_REQUESTS=100000\nLOG_LEVEL=WARNING\n")
    plane = LocalControlPlane(home)
    plane.start()
    try:
        yield plane
    finally:
        plane.stop()


def sign_in(plane: LocalControlPlane) -> MutxClient:
    """As the local operator."""
    with MutxClient(plane.url) as stranger:
        made = stranger.auth.local_bootstrap(LocalBootstrap())
    return MutxClient(plane.url, tokens=MemoryTokens(TokenPair(made.access_token, made.refresh_token)))


def apply_policy(client: MutxClient, document: str = POLICY, name: str = "shop") -> None:
    client.policies.put(name, PolicyWrite(name=name, document=document))


def agent_key(client: MutxClient, name: str = "bot") -> tuple[str, str]:
    """Id and key of a new agent."""
    made = client.agents.register(AgentRegister(name=name))
    return made.agent_id, made.api_key

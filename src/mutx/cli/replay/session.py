"""Where a replay runs: at a control plane that is there, or at one of its own that is gone afterwards."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml

from mutx.cli.demo.control_plane import LocalControlPlane
from mutx.cli.state import CliState
from mutx.contract.agents import AgentRegister
from mutx.contract.auth import LocalBootstrap
from mutx.contract.policies import PolicyWrite
from mutx.kit.errors import NotFound, SetupError
from mutx.sdk import MutxClient
from mutx.sdk.credentials import MemoryTokens, TokenPair
from mutx_agent import Governor

POLICY = files("mutx.cli.replay") / "policy.yaml"


@contextmanager
def control_plane(state: CliState) -> Iterator[MutxClient]:
    """A client signed in as a person: where `--url` points, else at a temporary control plane."""
    if state.url is not None:
        yield state.client
        return
    with tempfile.TemporaryDirectory(prefix="mutx-replay-") as folder:
        plane = LocalControlPlane(Path(folder) / "home")
        plane.start()
        try:
            with sign_in(plane.url) as client:
                yield client
        finally:
            plane.stop()


def sign_in(url: str) -> MutxClient:
    """As the local operator."""
    with MutxClient(url) as stranger:
        tokens = stranger.auth.local_bootstrap(LocalBootstrap())
    return MutxClient(url, tokens=MemoryTokens(TokenPair(tokens.access_token, tokens.refresh_token)))


@contextmanager
def replay_policy(client: MutxClient) -> Iterator[None]:
    """The replay's PolicySet in force; it goes when the replay ends, for its default is `allow`."""
    document = POLICY.read_text("utf-8")
    name = yaml.safe_load(document)["name"]
    try:
        client.policies.get(name)
    except NotFound:
        client.policies.put(name, PolicyWrite(name=name, document=document))
    else:
        raise SetupError(f"there is a policy {name} already, perhaps of a replay that runs now: delete it first")
    try:
        yield
    finally:
        client.policies.delete(name)


@contextmanager
def governed_agent(client: MutxClient) -> Iterator[Governor]:
    """A governor at the HTTP door, with an agent's own key; the agent goes afterwards, its receipts stay."""
    agent = client.agents.register(AgentRegister(name="agentdojo-replay"))
    governor = Governor(url=client.base_url, api_key=agent.api_key, agent_id=agent.agent_id, on_unrecorded="raise")
    try:
        yield governor
    finally:
        governor.close()
        client.agents.delete(UUID(agent.agent_id))


def limits() -> list[dict[str, Any]]:
    """The PolicySet's limits: tool, `rate` and `budget` as the document has them."""
    rules = yaml.safe_load(POLICY.read_text("utf-8"))["rules"]
    kinds = ("rate", "budget")
    return [{"tool": rule["match"]["tool"]} | {kind: rule[kind] for kind in kinds if kind in rule} for rule in rules]


def in_words(limit: dict[str, Any]) -> str:
    """`send_email: at most 600 per minute, 10 per session`"""
    words = [f"{most} {name.replace('_', ' ')}" for name, most in limit["rate"].items()]
    if budget := limit.get("budget"):
        words.append(f"{budget['max']} in {budget['amount']} per {budget['per']}")
    return f"{limit['tool']}: at most {', '.join(words)}"

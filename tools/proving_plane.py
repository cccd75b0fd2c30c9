"""The control plane that adapters and plugins are proved against."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mutx.cli.demo.control_plane import LocalControlPlane
from mutx.contract.agents import AgentRegister
from mutx.contract.auth import LocalBootstrap
from mutx.sdk import MutxClient
from mutx.sdk.credentials import MemoryTokens, TokenPair


@contextmanager
def control_plane() -> Iterator[dict[str, str]]:
    """A real `mutx up`, and the variables by which the suite finds it, its operator and an agent's key."""
    with tempfile.TemporaryDirectory(prefix="mutx-frameworks-") as folder:
        plane = LocalControlPlane(Path(folder) / "home")
        plane.home.mkdir(mode=0o700)
        limits = "RATE_LIMIT_REQUESTS=1000000\nAUTH_RATE_LIMIT_REQUESTS=1000000\nLOG_LEVEL=WARNING\n"
        (plane.home / ".env").write_text(limits)
        plane.start()
        try:
            with MutxClient(plane.url) as stranger:
                made = stranger.auth.local_bootstrap(LocalBootstrap())
            with MutxClient(
                plane.url, tokens=MemoryTokens(TokenPair(made.access_token, made.refresh_token))
            ) as operator:
                agent = operator.agents.register(AgentRegister(name="suite"))
            yield {
                "SUITE_URL": plane.url,
                "SUITE_OPERATOR_TOKEN": made.access_token,
                "SUITE_AGENT_ID": agent.agent_id,
                "SUITE_AGENT_KEY": agent.api_key,
            }
        finally:
            plane.stop()

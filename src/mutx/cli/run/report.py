"""The enforcement report: which layers hold in this run, which do not, and why."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from mutx.kit.errors import SetupError

HOLDS, PARTLY, OFF = "holds", "partly", "off"
MARKS = {HOLDS: "+", PARTLY: "~", OFF: "-"}
LAYERS = ("adapters", "mcp", "children", "egress", "network", "services", "files", "syscalls", "environment", "keys")


class EnforcementLayer(NamedTuple):
    name: str
    state: str
    detail: str


class EnforcementReport(NamedTuple):
    """What is true when the program starts. The last receipt of the run says what became of it."""

    layers: tuple[EnforcementLayer, ...]
    door: str
    where: str
    container: str | None
    allow_unproved: bool
    session_id: str
    agent_id: str

    def as_json(self) -> dict[str, Any]:
        return {
            "layers": {one.name: {"state": one.state, "detail": one.detail} for one in self.layers},
            "door": self.door,
            "container": self.container,
            "allow_unproved": self.allow_unproved,
        }

    def lines(self, *, quiet: bool) -> list[str]:
        """For people. `quiet`: only what does not hold."""
        shown = [one for one in self.layers if not quiet or one.state != HOLDS]
        head = f"mutx run: agent {self.agent_id}, session {self.session_id}, decided by {self.door} ({self.where})"
        lines = [] if quiet and not shown else [head]
        if self.container and not quiet:
            lines.append(f"  in a container ({self.container})")
        lines += [f"  {MARKS[one.state]} {one.name:<12}{one.state:<8}{one.detail}" for one in shown]
        if self.allow_unproved:
            lines.append(
                "  ! WARNING: --allow-unproved: frameworks whose hooks are not proved run UNGOVERNED; receipts say so"
            )
        return lines

    def require(self, wanted: Iterable[str]) -> None:
        """Raises SetupError unless each of these layers holds."""
        states = {one.name: one for one in self.layers}
        for name in wanted:
            layer = states.get(name)
            if layer is None or layer.state != HOLDS:
                why = f"{layer.state}: {layer.detail}" if layer is not None else "it is switched off"
                raise SetupError(f"the layer `{name}` was required and does not hold ({why})")


def container_kind() -> str | None:
    """What kind of container this is, as far as it shows."""
    if Path("/.dockerenv").exists():
        return "docker"
    if Path("/run/.containerenv").exists():
        return "podman"
    if "KUBERNETES_SERVICE_HOST" in os.environ:
        return "kubernetes"
    return os.environ.get("container") or None  # noqa: SIM112 - systemd and podman spell it so

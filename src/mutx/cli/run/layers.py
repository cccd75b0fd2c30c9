"""The layers of a run, each with what it is worth and why."""

import os
from pathlib import Path
from shutil import which

from mutx.cli.run.environment import ChildEnvironment
from mutx.cli.run.options import RunOptions
from mutx.cli.run.report import HOLDS, OFF, PARTLY, EnforcementLayer, EnforcementReport, container_kind
from mutx.cli.run.spawn import Confined
from mutx.cli.run.upstream import RunDoor
from mutx_agent.launch.interpreters import blind_option, interpreter_of, is_python


def report_on(
    options: RunOptions, upstream: RunDoor, environment: ChildEnvironment, confined: Confined, session: str, agent: str
) -> EnforcementReport:
    kernel = {name: EnforcementLayer(name, state, detail) for name, state, detail in confined.layers}
    layers = [*_hooks(options), _egress(options)]
    layers += [
        kernel.get(name) or EnforcementLayer(name, OFF, _switched_off(name, options))
        for name in ("network", "services", "files", "syscalls")
    ]
    layers += [_environment(environment), _keys(upstream, kernel.get("files"))]
    return EnforcementReport(
        layers=tuple(layers),
        door=upstream.door,
        where=upstream.where,
        container=container_kind(),
        allow_unproved=options.allow_unproved,
        session_id=session,
        agent_id=agent,
    )


def _hooks(options: RunOptions) -> list[EnforcementLayer]:
    from mutx_agent.hooks import ADAPTERS

    names = ", ".join(sorted(ADAPTERS))
    blind = blind_option(options.command)
    if blind is not None:
        why = f"`{blind}` does not load the hooks (--allow-unproved)"
        return [EnforcementLayer(name, OFF, why) for name in ("adapters", "mcp", "children")]
    python = is_python(interpreter_of(options.command))
    state = HOLDS if python else PARTLY
    scope = "" if python else "the command is no Python program, so only in the Pythons that it starts: "
    found = [
        EnforcementLayer(
            "adapters", state, f"{scope}armed for {names}; each is proved when it is loaded, or the process stops"
        )
    ]
    found.append(EnforcementLayer("mcp", state, f"{scope}MCP clients of Python; other clients go through `mutx mcp`"))
    detail = (
        "identity is inherited; a Python child with -I, -E or -S is refused; where a shell script or a program in another"
        " language starts a Python so, or without the environment, it runs without hooks"
    )
    found.append(EnforcementLayer("children", PARTLY, detail))
    return found


def _egress(options: RunOptions) -> EnforcementLayer:
    if not options.egress:
        return EnforcementLayer("egress", OFF, "switched off by --no-egress: outbound requests are not decided")
    if options.inspect:
        detail = "the gateway decides by host, method and path, of https too, whose TLS ends in it (--egress-inspect)"
        return EnforcementLayer("egress", HOLDS, detail)
    detail = "the gateway decides by host, method and path; of https by host and port, because the rest is encrypted"
    return EnforcementLayer("egress", HOLDS, detail)


def _switched_off(name: str, options: RunOptions) -> str:
    if name == "network" and not options.egress:
        return "left alone, because of --no-egress"
    if name == "network":
        return "programs that ignore the proxy variables go past the gateway (--no-sandbox)"
    return "switched off by --no-sandbox"


def _environment(environment: ChildEnvironment) -> EnforcementLayer:
    detail = f"{len(environment.variables)} variables passed, {len(environment.stripped)} withheld"
    if environment.credentials:
        shown = ", ".join(environment.credentials[:5])
        more = f" and {len(environment.credentials) - 5} more" if len(environment.credentials) > 5 else ""
        detail += f", among them {shown}{more}"
    if environment.given:
        detail += f"; passed by --env: {', '.join(environment.given[:10])}"
    return EnforcementLayer("environment", HOLDS, detail)


def _keys(upstream: RunDoor, files: EnforcementLayer | None) -> EnforcementLayer:
    if upstream.keys is None:
        return EnforcementLayer("keys", HOLDS, "the key that signs receipts is not on this machine")
    if files is not None and files.state == HOLDS:
        return EnforcementLayer("keys", HOLDS, f"{upstream.keys} is out of the program's reach")
    return EnforcementLayer(
        "keys", OFF, f"the program runs as your user and can read the signing key in {upstream.keys}"
    )


def find_program(command: str, path: str | None) -> str | None:
    """Where a command is; None if it is nowhere."""
    if "/" in command:
        return command if Path(command).exists() else None
    return which(command, mode=os.F_OK, path=path)

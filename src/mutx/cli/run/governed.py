"""One run: its folder, its program, its first receipt and its last."""

import os
import secrets
import shutil
import socket
import sys
import tempfile
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mutx.cli.run.environment import SUPERVISORS_MARK, child_environment
from mutx.cli.run.folders import covered, file_rules
from mutx.cli.run.inspection import inspect_https
from mutx.cli.run.journal import Journal
from mutx.cli.run.layers import report_on
from mutx.cli.run.options import RunOptions
from mutx.cli.run.report import EnforcementReport
from mutx.cli.run.services import RunServices, unix_listener
from mutx.cli.run.spawn import HeldProgram, end_leftovers, hold, interruptible, protect_launcher
from mutx.cli.run.upstream import RunDoor
from mutx.kit.errors import SetupError
from mutx.kit.ids import new_id
from mutx_agent.action import GovernedAction
from mutx_agent.governor import Governor
from mutx_agent.launch.namespaces import open_listener
from mutx_agent.launch.order import Order, to_environment, with_bootstrap
from mutx_agent.launch.shim import Plan

if TYPE_CHECKING:
    from mutx.services.egress.gateway import Inspection

RUN_TOOL = "mutx.run"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


class GovernedRun:
    """Use `run` once. Nothing of the program happens before the first receipt of its session is on disk."""

    def __init__(self, options: RunOptions, upstream: RunDoor) -> None:
        self._options = options
        self._upstream = upstream
        self._session = options.session or new_id()
        self._agent = options.agent or program_name(options.command)
        self._environment = child_environment(os.environ, options.passed)
        self._journal = Journal()
        self._secret = secrets.token_urlsafe(32)

    def run(self) -> int:
        """The program's exit status. Raises SetupError, ActionDenied (the run is not allowed), Interrupted."""
        with ExitStack() as stack:
            folder = Path(tempfile.mkdtemp(prefix="mutx-run-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            for name in ("tmp", "home"):
                (folder / name).mkdir(mode=0o700)
            asking = stack.enter_context(unix_listener(str(folder / "run.sock")))
            gate = stack.enter_context(open_listener()) if self._options.egress else None
            held = hold(list(self._options.command), self._plan(folder, gate))
            stack.callback(held.drop)
            protect_launcher()
            return self._governed(held, folder, asking, held.confined.listener or gate, stack)

    def _governed(
        self, held: HeldProgram, folder: Path, asking: socket.socket, gate: socket.socket | None, stack: ExitStack
    ) -> int:
        """From the report to the last receipt."""
        report = report_on(self._options, self._upstream, self._environment, held.confined, self._session, self._agent)
        self._show(report)
        report.require(self._options.require)
        stack.callback(self._upstream.transport.close)
        governor = Governor(self._upstream.transport, agent_id=self._agent, session_id=self._session)
        opening = self._opening(governor, report)
        inspection: Inspection | None = None
        trusting: dict[str, str] = {}
        if self._options.inspect:
            inspection, trusting = inspect_https(folder / "home", self._environment.variables)
        services = self._services(governor, asking, gate, inspection)
        services.start()
        stack.callback(services.stop)
        started = time.monotonic()
        held.release(self._variables(folder, gate, trusting, apart=held.confined.listener is not None))
        status = held.wait()
        left = end_leftovers()
        opening.result = {
            "exit_status": status,
            "seconds": round(time.monotonic() - started, 3),
            "processes_ended": left,
            **self._journal.summary(),
        }
        opening.end()
        self._farewell(left)
        return status

    def _opening(self, governor: Governor, report: EnforcementReport) -> GovernedAction:
        """The session's first receipt: what is started, and what holds. Returns with leave to start it."""
        given: dict[str, Any] = {"original_request": self._options.request}
        args = {
            "program": program_name(self._options.command),
            "command": list(self._options.command)[:64],
            "enforcement": report.as_json(),
        }
        opening = governor.action(RUN_TOOL, args, operation="start", runtime="mutx run", trigger="cli", **given)
        interruptible(opening.begin)
        if opening.permission.modified:
            raise SetupError(
                f"the policy changes the arguments of `{RUN_TOOL}`, which cannot be carried out: allow or deny it"
            )
        return opening

    def _services(
        self,
        governor: Governor,
        asking: socket.socket,
        gate: socket.socket | None,
        inspection: "Inspection | None",
    ) -> RunServices:
        # Both load asyncio; by now the program is about to start, and they are loaded beside it.
        from mutx.cli.run.relay import RunRelay

        serve = [partial(RunRelay(self._upstream.transport, self._journal).serve, asking)]
        if gate is not None:
            from mutx.services.egress.addresses import Networks
            from mutx.services.egress.gateway import EgressGateway

            ask = partial(governor.action, service="egress", runtime="mutx run")
            networks = Networks(self._options.networks)
            gateway = EgressGateway(ask, self._secret, networks, inspection=inspection)
            serve.append(partial(gateway.serve, gate))
        return RunServices(*serve)

    def _plan(self, folder: Path, gate: socket.socket | None) -> Plan:
        options = self._options
        files = None
        if options.sandbox:
            hidden = [self._upstream.keys] if self._upstream.keys is not None else []
            files = file_rules(
                options.command[0], folder / "tmp", options.read, options.write, hidden, self._environment.variables
            )
            files = files._replace(read=(*files.read, str(folder / "home")))
        return Plan(
            files=files,
            syscalls=options.sandbox,
            gateway_port=gate.getsockname()[1] if gate is not None and options.sandbox else None,
            apart=not options.local_ports,
            covered=covered(files) if files is not None else (),
            local_ports=options.local_ports,
        )

    def _variables(
        self, folder: Path, gate: socket.socket | None, trusting: dict[str, str], *, apart: bool
    ) -> dict[str, str]:
        """The program's whole environment. `trusting`: what has it trust the gateway's certificates."""
        own = {"TMPDIR": str(folder / "tmp"), "MUTX_HOME": str(folder / "home"), **trusting}
        if gate is not None:
            proxy = f"http://run:{self._secret}@127.0.0.1:{gate.getsockname()[1]}"
            # In a network of its own the loopback holds nothing but the program's own servers.
            direct = "localhost,127.0.0.1,::1" if apart and not self._options.networks else ""
            own |= {name: proxy for one in PROXIES for name in (one, one.lower())}
            own |= {"NO_PROXY": direct, "no_proxy": direct}
        if SUPERVISORS_MARK in os.environ:
            own[SUPERVISORS_MARK] = os.environ[SUPERVISORS_MARK]
        order = Order(
            socket=str(folder / "run.sock"),
            agent_id=self._agent,
            session_id=self._session,
            allow_unproved=self._options.allow_unproved,
            extra=tuple(own),
        )
        base = self._environment.variables
        return {**base, **own, **to_environment(order), "PYTHONPATH": with_bootstrap(base.get("PYTHONPATH"))}

    def _show(self, report: EnforcementReport) -> None:
        lines = report.lines(quiet=self._options.quiet)
        if lines:
            sys.stderr.write("\n".join(lines) + "\n")
            sys.stderr.flush()
        if self._options.report is not None:
            import json

            told: dict[str, Any] = {"session_id": self._session, "agent_id": self._agent, **report.as_json()}
            self._options.report.write_text(json.dumps(told, indent=2) + "\n", "utf-8")

    def _farewell(self, left: int) -> None:
        """What somebody who looks at the end of the output should know."""
        if left:
            sys.stderr.write(f"mutx run: {left} processes that the program left behind were ended\n")
        if self._options.quiet:
            return
        summary = self._journal.summary()
        counts = ", ".join(f"{count} {effect}" for effect, count in sorted(summary["decisions"].items())) or "none"
        proved = ", ".join(f"{name} {version}" for name, version in summary["adapters_proved"].items()) or "none loaded"
        sys.stderr.write(
            f"mutx run: tool calls: {counts}; adapters proved: {proved}; Python processes governed: {summary['python_processes']}; "
            f"session {self._session}\n"
        )


def program_name(command: tuple[str, ...]) -> str:
    """What the program is called: the script or module, where the command is a Python."""
    from mutx_agent.launch.interpreters import is_python

    words = iter(command[1:])
    if is_python(command[0]):
        for word in words:
            if word == "-m":
                return next(words, "python")[:100]
            if word == "-c":
                break
            if not word.startswith("-"):
                return Path(word).stem[:100] or "python"
    return Path(command[0]).name[:100]

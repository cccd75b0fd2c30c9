"""The parts of a run by themselves: environment, folders, report, journal, relay."""

import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mutx.cli.run.environment import child_environment
from mutx.cli.run.folders import covered, file_rules
from mutx.cli.run.governed import program_name
from mutx.cli.run.journal import NAMES, Journal
from mutx.cli.run.options import RunOptions
from mutx.cli.run.relay import LINE_LIMIT, RunRelay
from mutx.cli.run.report import EnforcementLayer, EnforcementReport, container_kind
from mutx.cli.run.services import RunServices, unix_listener
from mutx.cli.run.spawn import children_of, exit_status
from mutx.cli.run.upstream import find_upstream
from mutx.kit.errors import SetupError
from mutx_agent.errors import DoorUnreachable
from mutx_agent.launch.landlock import FileRules
from mutx_agent.transport.base import Json, Transport
from mutx_agent.transport.embedded import EmbeddedTransport
from tests.agent.scripted_plane import Refusal, ScriptedPlane, deny

PRESENT = {
    "PATH": "/bin",
    "LC_ALL": "C",
    "PYTHONPATH": "/lib",
    "PYTHONHASHSEED": "1",
    "OPENAI_API_KEY": "k",
    "AWS_SESSION_TOKEN": "t",
    "EDITOR": "vi",
    "MUTX_API_KEY": "m",
    "MUTX_HOME": "/h",
}


class TestEnvironment:
    def test_only_what_is_usual_or_named_is_passed(self) -> None:
        chosen = child_environment(PRESENT, ("OPENAI_API_KEY", "NOT_SET", "MUTX_API_KEY"))
        assert set(chosen.variables) == {"PATH", "LC_ALL", "PYTHONPATH", "PYTHONHASHSEED", "OPENAI_API_KEY"}
        assert chosen.given == ("OPENAI_API_KEY",)
        assert chosen.stripped == ("AWS_SESSION_TOKEN", "EDITOR")
        assert chosen.credentials == ("AWS_SESSION_TOKEN",)


class TestFolders:
    def test_of_a_virtual_environment_all_is_readable(self, tmp_path: Path) -> None:
        rules = file_rules(sys.executable, tmp_path, [], [], [], {"PATH": os.environ["PATH"], "HOME": "/nobody"})
        assert sys.prefix in rules.read
        assert any(sys.base_prefix == os.path.realpath(path) for path in rules.read)

    def test_a_home_with_programs_in_it_is_not(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        tool = tmp_path / "home" / "bin" / "tool"
        tool.parent.mkdir(parents=True)
        tool.write_text("#!/bin/sh\n")
        tool.chmod(0o755)
        monkeypatch.chdir(tool.parent)
        env = {"PATH": f"{tool.parent}:relative:{tmp_path / 'home'}", "HOME": str(tmp_path / "home")}
        rules = file_rules("tool", tmp_path / "scratch", [], [], [], env)
        assert str(tool.parent) in rules.read
        assert str(tmp_path / "home") not in rules.read

    def test_credentials_are_hidden_unless_they_are_asked_for(self, tmp_path: Path) -> None:
        env = {"PATH": "/bin", "HOME": str(tmp_path)}
        plain = file_rules("sh", tmp_path, [], [], [], env)
        assert str(tmp_path / ".ssh") in plain.hidden
        asked = file_rules("sh", tmp_path, [tmp_path / ".ssh"], [], [], env)
        assert str(tmp_path / ".ssh") not in asked.hidden
        assert str(tmp_path / ".ssh") in asked.read

    def test_nothing_is_covered_that_holds_something_writable(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        (tmp_path / "b").mkdir()
        rules = FileRules(
            write=(str(tmp_path / "a" / "inner"), "/run/mine"), hidden=(str(tmp_path / "a"), str(tmp_path / "b"))
        )
        assert covered(rules) == (str(tmp_path / "b"),)


class TestReport:
    REPORT = EnforcementReport(
        (EnforcementLayer("files", "holds", "yes"), EnforcementLayer("network", "partly", "by port")),
        "uds",
        "/sock",
        "docker",
        False,
        "s",
        "a",
    )

    def test_it_says_what_holds_and_what_does_not(self) -> None:
        assert self.REPORT.lines(quiet=False)[1:] == [
            "  in a container (docker)",
            "  + files       holds   yes",
            "  ~ network     partly  by port",
        ]
        assert len(self.REPORT.lines(quiet=True)) == 2
        assert self.REPORT._replace(layers=self.REPORT.layers[:1]).lines(quiet=True) == []
        loud = self.REPORT._replace(allow_unproved=True, layers=())
        assert "UNGOVERNED" in loud.lines(quiet=True)[-1]

    def test_what_is_required_has_to_hold(self) -> None:
        self.REPORT.require(("files",))
        with pytest.raises(SetupError, match=r"`network` was required and does not hold \(partly: by port\)"):
            self.REPORT.require(("files", "network"))

    def test_containers_are_recognised(self, monkeypatch: pytest.MonkeyPatch) -> None:
        present: set[str] = set()
        monkeypatch.setattr(Path, "exists", lambda path: str(path) in present)
        monkeypatch.delenv("container", raising=False)
        monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
        assert container_kind() is None
        monkeypatch.setenv("container", "lxc")
        assert container_kind() == "lxc"
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
        assert container_kind() == "kubernetes"
        present.add("/run/.containerenv")
        assert container_kind() == "podman"
        present.add("/.dockerenv")
        assert container_kind() == "docker"


def test_a_journal_holds_no_more_than_it_can() -> None:
    journal = Journal()
    for number in range(NAMES + 10):
        journal.note("joined", {"program": f"p{number}"})
        journal.note("proved", {"adapter": f"a{number}", "version": "1"})
        journal.note("blind", {"option": "python -I"})
    assert not journal.note("decide", {})
    summary = journal.summary()
    assert summary["python_processes"] == NAMES + 10
    assert len(summary["adapters_proved"]) == NAMES
    assert summary["python_without_hooks"] == {"python -I": NAMES + 10}


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (("python3", "-u", "agents/buyer.py", "x"), "buyer"),
        (("python3", "-m", "buyer", "x"), "buyer"),
        (("python3", "-m"), "python"),
        (("python3", "-u"), "python3"),
        (("python3", "-c", "pass"), "python3"),
        (("/opt/bin/agent", "x"), "agent"),
    ],
)
def test_programs_have_names(command: tuple[str, ...], name: str) -> None:
    assert program_name(command) == name


def test_statuses_are_a_shells() -> None:
    assert exit_status(7 << 8) == 7
    assert exit_status(9) == 137
    assert os.getpid() not in children_of(os.getpid())


def on_file(home: Path, path: Path) -> None:
    """The address that `mutx up` or `mutx login` left."""
    (home / "client.json").write_text(json.dumps({"socket": str(path)}))
    (home / "client.json").chmod(0o600)


class TestUpstream:
    @pytest.fixture(autouse=True)
    def elsewhere(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.delenv("MUTX_URL", raising=False)
        monkeypatch.delenv("MUTX_SOCKET", raising=False)
        monkeypatch.setenv("MUTX_HOME", str(tmp_path))

    def test_what_was_named_decides(self, tmp_path: Path) -> None:
        options = RunOptions(command=("true",))
        named = find_upstream(options, "http://127.0.0.1:9")
        assert (named.door, named.keys) == ("http", None)
        (tmp_path / "keys").mkdir()
        assert find_upstream(options, "http://127.0.0.1:9").keys == tmp_path
        assert find_upstream(RunOptions(command=("true",), embedded=True), "http://127.0.0.1:9").door == "embedded"

    def test_without_one_or_with_its_own_that_is_gone_the_launcher_decides(self, tmp_path: Path) -> None:
        assert find_upstream(RunOptions(command=("true",)), None).door == "embedded"
        on_file(tmp_path, tmp_path / "run" / "gone.sock")
        assert find_upstream(RunOptions(command=("true",)), None).door == "embedded"

    def test_for_one_that_was_named_and_is_gone_nobody_else_decides(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        on_file(tmp_path, tmp_path.parent / "another" / "gone.sock")
        with pytest.raises(SetupError, match="nobody answers"):
            find_upstream(RunOptions(command=("true",)), None)
        monkeypatch.setenv("MUTX_SOCKET", str(tmp_path / "gone.sock"))
        with pytest.raises(SetupError, match="--embedded"):
            find_upstream(RunOptions(command=("true",)), None)
        assert find_upstream(RunOptions(command=("true",), embedded=True), None).door == "embedded"
        monkeypatch.setenv("MUTX_SOCKET", str(tmp_path / "there.sock"))
        with unix_listener(str(tmp_path / "there.sock")):
            assert find_upstream(RunOptions(command=("true",)), None).door == "uds"


class Unsure(Transport):
    """A way on which answers get lost."""

    def __init__(self, *, sent: bool) -> None:
        self._sent = sent

    def call(self, verb: str, body: Json) -> Json:
        raise DoorUnreachable("gone", sent=self._sent)


class TestRelay:
    @pytest.fixture
    def ask(self, tmp_path: Path) -> Iterator[Any]:
        running: list[tuple[RunServices, socket.socket]] = []

        def start(transport: Transport, *lines: bytes) -> list[Any]:
            path = str(tmp_path / f"{len(running)}.sock")
            listener, journal = unix_listener(path), Journal()
            services = RunServices(lambda: RunRelay(transport, journal).serve(listener))
            services.start()
            running.append((services, listener))
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(30)
                client.connect(path)
                answers = []
                with client.makefile("rwb") as stream:
                    for line in lines:
                        stream.write(line + b"\n")
                        stream.flush()
                        try:
                            answers.append(json.loads(stream.readline() or b"null"))
                        except ConnectionResetError:
                            answers.append(None)
                return answers

        yield start
        for services, listener in running:
            services.stop()
            listener.close()

    def test_an_agents_verbs_pass_and_no_others(self, ask: Any) -> None:
        plane = EmbeddedTransport(server=ScriptedPlane(deny))
        call = {"action_id": "00000001", "tool_name": "t", "tool_args": {}, "agent_id": "a", "session_id": "s"}
        answers = ask(
            plane,
            json.dumps({"id": 1, "verb": "decide", "body": call}).encode(),
            b'{"id": 2, "verb": "resolve", "body": {"request_id": "r", "verdict": "approve"}}',
            b'{"id": 3, "verb": "joined", "body": {}}',
        )
        assert answers[0]["ok"]["decision"] == "deny"
        assert answers[1]["error"]["code"] == "input_error"
        assert answers[2] == {"id": 3, "ok": {}}

    @pytest.mark.parametrize("line", [b"no json", b"[]", b'{"id": 1, "verb": "decide"}', b"x" * (LINE_LIMIT + 10)])
    def test_what_is_no_request_ends_the_connection(self, ask: Any, line: bytes) -> None:
        assert ask(EmbeddedTransport(server=ScriptedPlane()), line) == [None]

    def test_refusals_are_passed_on_and_lost_answers_stay_lost(self, ask: Any) -> None:
        plane = ScriptedPlane()

        def refuse(_: Json) -> Json:
            raise Refusal("conflict", "it was concluded")

        plane._conclude = refuse  # type: ignore[method-assign]
        conclude = b'{"id": 1, "verb": "conclude", "body": {"action_id": "x"}}'
        assert ask(EmbeddedTransport(server=plane), conclude)[0]["error"]["code"] == "conflict"
        assert ask(Unsure(sent=False), conclude)[0]["error"]["code"] == "unavailable"
        assert ask(Unsure(sent=True), conclude) == [None], "nobody knows whether it arrived, so nobody says so"

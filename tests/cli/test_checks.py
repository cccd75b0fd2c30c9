"""Single checks of `mutx doctor`, against servers that answer as a sound one seldom does, and keys told as JSON."""

import json
import socket
import sqlite3
import ssl
import time
from collections.abc import Callable
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner
from pydantic import BaseModel

from mutx.cli import checks
from mutx.cli.bench.guardrail import in_words
from mutx.cli.checks import CheckHealth
from mutx.cli.commands.run import _advice
from mutx.cli.main import cli
from mutx.cli.output import print_rows
from mutx.cli.run.environment import ChildEnvironment
from mutx.cli.run.inspection import _trusted
from mutx.cli.run.layers import _egress, _environment, _switched_off
from mutx.cli.scoreboard.tally import _percent
from mutx.sdk import MutxClient
from mutx.services.signing import open_signer
from mutx_agent import ActionDenied

IN_FORCE = {"id": "1", "name": "on", "rules": [], "enabled": True, "version": 1, "kind": "set", "digest": "d"}
HEALTH = {"status": "healthy", "uptime_seconds": 3.0, "database": "healthy", "schema_repairs_applied": []}


def asking(answer: Callable[[str], Any]) -> Any:
    def handler(request: httpx2.Request) -> httpx2.Response:
        found = answer(request.url.path)
        status = 200 if found is not None else 401
        return httpx2.Response(
            status, json=found if found is not None else {"code": "unauthenticated", "message": "no", "details": {}}
        )

    return SimpleNamespace(client=MutxClient("http://x", transport=httpx2.MockTransport(handler)))


def health(at: float, said: str, **ill: str) -> dict[str, Any]:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
    components = {name: {"status": status} for name, status in ill.items()}
    return {**HEALTH, "timestamp": stamp, "version": said, "components": components}


def test_a_server_is_ill_of_another_version_or_of_another_time() -> None:
    here, now = version("mutx"), time.time()
    ill = asking(lambda _: health(now, here, disk="unhealthy"))
    assert "is ill: disk" in checks.server(ill).detail
    assert checks.server(asking(lambda _: health(now, "0.0.1"))).health is CheckHealth.NOTE
    assert "differs from the server's" in checks.clock(asking(lambda _: health(now - 9_000, here))).detail
    for check in (checks.clock, checks.login, checks.policy):
        assert check(asking(lambda _: None)).health is CheckHealth.NOTE

    assert "everything is denied" in checks.policy(asking(lambda _: [])).detail


def test_what_holds_secrets_is_ones_own_and_no_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret, link = tmp_path / "secret", tmp_path / "link"
    secret.touch(0o600)
    link.symlink_to(secret)
    assert checks._private(secret) is None
    assert "symbolic link" in getattr(checks._private(link), "detail", "")
    monkeypatch.setattr("os.getuid", lambda: secret.stat().st_uid + 1)
    assert "belongs to another user" in getattr(checks._private(secret), "detail", "")


def test_a_socket_that_others_reach_or_nobody_answers_is_told(home: Path) -> None:
    path = home / "run" / "mutx.sock"
    assert checks.unix_socket(SimpleNamespace()).health is CheckHealth.NOTE  # type: ignore[arg-type]
    path.parent.mkdir(parents=True)
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(path))
    for mode, says in ((0o755, "others may read"), (0o700, "nobody answers")):
        path.parent.chmod(mode)
        assert says in checks.unix_socket(SimpleNamespace()).detail  # type: ignore[arg-type]


def test_keys_are_told_as_tables_and_as_json(home: Path) -> None:
    folder = home / "keys"
    open_signer(folder / "receipts.pem", folder / "receipts.jwks.json", may_create=True, now=time.time())

    def keys(*words: str) -> str:
        done = CliRunner().invoke(cli, ["keys", *words], prog_name="mutx")
        assert done.exit_code == 0, done.output
        return done.stdout

    (old,) = json.loads(keys("list", "--json"))
    assert old["kid"] in keys("list")
    new = json.loads(keys("rotate", "--json"))["kid"]
    assert json.loads(keys("revoke", old["kid"], "--reason", "lost", "--json")) == {"revoked": old["kid"]}
    assert new in keys("list")


def test_rows_that_are_no_models_are_one_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    class Empty(BaseModel):
        name: str = ""
        parts: list[str] = []

    for rows in ([], ["a", 2], [Empty()]):
        print_rows(rows)
    assert capsys.readouterr().out.splitlines()[:3] == ["none", "a", "2"]


def test_a_database_that_something_else_wrote_is_told(home: Path) -> None:
    home.mkdir()
    with closing(sqlite3.connect(home / "mutx.db")) as other:
        other.execute("CREATE TABLE somebody_elses (id INTEGER)")
    assert "journal mode delete" in checks.database(SimpleNamespace()).detail  # type: ignore[arg-type]


def test_layers_say_what_is_left_open() -> None:
    options = SimpleNamespace(egress=True, inspect=False)
    assert _egress(options).detail.endswith("the rest is encrypted")  # type: ignore[arg-type]
    options.inspect = True
    assert "whose TLS ends in it" in _egress(options).detail  # type: ignore[arg-type]
    options.egress = False
    assert "not decided" in _egress(options).detail  # type: ignore[arg-type]
    names = [f"KEY_{number}" for number in range(7)]
    environment = ChildEnvironment({"PATH": "/bin"}, ("REGION",), tuple(names), tuple(names))
    assert _environment(environment).detail.endswith("KEY_4 and 2 more; passed by --env: REGION")


def test_a_layer_that_is_off_says_by_what() -> None:
    for egress, name, says in ((False, "network", "--no-egress"), (True, "network", "go past"), (True, "files", "off")):
        assert says in _switched_off(name, SimpleNamespace(egress=egress))  # type: ignore[arg-type]


def test_a_program_has_the_trust_it_had_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own.pem").write_text("-----BEGIN")
    assert _trusted({"SSL_CERT_FILE": str(tmp_path / "gone.pem"), "REQUESTS_CA_BUNDLE": str(tmp_path / "own.pem")}) == (
        "-----BEGIN"
    )
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: SimpleNamespace(cafile=None))
    assert _trusted({"SSL_CERT_FILE": str(tmp_path / "gone.pem")}) == ""


def test_policies_in_force_are_named() -> None:
    shown = checks.policy(asking(lambda path: [IN_FORCE, {**IN_FORCE, "name": "off", "enabled": False}]))
    assert (shown.health, shown.detail) == (CheckHealth.OK, "1 in force: on")
    assert "everything is denied" in checks.policy(asking(lambda path: [])).detail


def test_a_denied_start_says_which_rule_is_missing() -> None:
    for code, reason, says in (("default", "no rule", "id: run"), ("rule", "no policy is in force", "id: run")):
        assert says in _advice(ActionDenied(reason, reason_code=code, tool_name="run"))
    assert "id: run" not in _advice(ActionDenied("rule x: deny", reason_code="rule", tool_name="run"))


def test_a_share_of_nothing_is_a_dash() -> None:
    assert (_percent(None, (0, 0)), _percent(0.5, (0.4, 0.6))) == ("-", "50.0 % (40.0 to 60.0)")


def test_a_measured_guardrail_is_told_of_what_was_measured() -> None:
    head = {"versions": {"model": "m", "python": "3"}, "rows": 2, "seed": 1}
    none = {"recall": None, "false_positive_rate": None, "precision": None}
    attacks = in_words({**head, "sources": {"mail": none}, "pooled": none})
    personal = in_words({**head, "pii": {"types": {"email": none}, "pooled": none}})
    assert ("| mail | - | - |" in attacks, "personal data" in attacks) == (True, False)
    assert ("| email | - | - |" in personal, "false positives" in personal) == (True, False)

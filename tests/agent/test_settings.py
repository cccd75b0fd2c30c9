"""Where the control plane is: arguments, environment, file; and which key goes where."""

import json
from pathlib import Path

import pytest

from mutx_agent.settings import NotConfigured, load, mutx_home


def write(**content: object) -> Path:
    mutx_home().mkdir(parents=True, exist_ok=True)
    path = mutx_home() / "client.json"
    path.write_text(json.dumps(content))
    path.chmod(0o600)
    return path


def test_the_file_is_enough() -> None:
    write(url="http://a", socket="/s", api_key="k", agent_id="bot", something_newer=1)
    settings = load()
    assert (settings.url, settings.socket, settings.api_key, settings.agent_id) == ("http://a", "/s", "k", "bot")
    assert settings.endpoint == "/s"


def test_arguments_go_before_environment_before_file(monkeypatch: pytest.MonkeyPatch) -> None:
    write(url="http://file", agent_id="file", session_id="file")
    monkeypatch.setenv("MUTX_AGENT_ID", "env")
    monkeypatch.setenv("MUTX_SESSION_ID", "env")
    settings = load(agent_id="argument")
    assert (settings.url, settings.agent_id, settings.session_id) == ("http://file", "argument", "env")


def test_a_stored_key_goes_only_to_its_own_address(monkeypatch: pytest.MonkeyPatch) -> None:
    write(url="http://home", api_key="secret")
    assert load().api_key == "secret"
    assert load(url="http://home").api_key == "secret"
    assert load(url="http://elsewhere").api_key is None
    monkeypatch.setenv("MUTX_SOCKET", "/other.sock")
    assert load().api_key is None
    assert load().url is None
    monkeypatch.setenv("MUTX_API_KEY", "mine")
    assert load().api_key == "mine"


def test_a_file_that_others_may_read_is_refused() -> None:
    write(url="http://a").chmod(0o644)
    with pytest.raises(NotConfigured, match="chmod 600"):
        load()


@pytest.mark.parametrize("text", ["{", "[]", "\xff"])
def test_a_broken_file_is_refused(text: str) -> None:
    write().write_bytes(text.encode("latin-1"))
    with pytest.raises(NotConfigured):
        load()


def test_nothing_configured_says_what_to_do() -> None:
    with pytest.raises(NotConfigured, match="mutx up"):
        load()


def test_the_key_is_in_no_repr() -> None:
    assert "secret" not in repr(load(url="http://a", api_key="secret"))

"""Defaults that are safe, and settings that are not."""

from pathlib import Path

import pytest

from mutx.kit.errors import SetupError
from mutx.server.settings import Settings, read_settings
from mutx.server.up import listen


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable and no .env of this machine plays a part."""
    monkeypatch.chdir(tmp_path)
    for name in ("HOST", "PORT", "DATABASE_URL", "MUTX_HOME", "ALLOWED_HOSTS", "CORS_ORIGINS"):
        monkeypatch.delenv(name, raising=False)


def test_defaults_stay_on_this_machine() -> None:
    settings = Settings()
    assert (settings.host, settings.port, settings.access_token_expire_minutes) == ("127.0.0.1", 8000, 15)
    assert (settings.refresh_token_expire_days, settings.refresh_token_max_sliding_days) == (7, 30)
    assert (settings.rate_limit_requests, settings.auth_rate_limit_requests) == (100, 10)
    assert settings.home == Path("~/.mutx").expanduser()
    assert settings.url.endswith("/.mutx/mutx.db")
    assert settings.issuer == "http://127.0.0.1:8000"
    assert settings.bootstraps_locally


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MUTX_HOME", str(tmp_path))
    monkeypatch.setenv("PORT", "9000")
    monkeypatch.setenv("CORS_ORIGINS", "https://a.example, https://b.example")
    monkeypatch.setenv("HOME", "/somewhere/else")
    settings = Settings()
    assert (settings.home, settings.port) == (tmp_path, 9000)
    assert settings.cors_origins == ("https://a.example", "https://b.example")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"host": "0.0.0.0"}, "ALLOWED_HOSTS"),
        ({"host": "0.0.0.0", "allowed_hosts": ("m.example",), "local_bootstrap": True}, "LOCAL_BOOTSTRAP"),
        ({"host": "0.0.0.0", "allowed_hosts": ("m.example",), "cors_origins": ("*",)}, "CORS_ORIGINS"),
        ({"port": 70_000}, "PORT"),
        ({"rate_limit_requests": 0}, "RATE_LIMIT_REQUESTS"),
        ({"log_level": "LOUD"}, "LOG_LEVEL"),
        ({"siem_syslog": "udp://collector.example:514"}, "SIEM_SYSLOG"),
        ({"siem_http_url": "http://collector.example/events"}, "SIEM_HTTP_URL"),
        ({"siem_certificate": Path("own.pem")}, "SIEM_KEY"),
        ({"approval_webhook_url": "https://chat.example/hook"}, "APPROVAL_WEBHOOK_SECRET"),
        ({"supervision_profiles": {"bot": {"command": []}}}, "SUPERVISION_PROFILES"),
        (
            {"supervision_profiles": {"bot": {"command": ["bot"], "env_keys": ["A B"]}}},
            "no name that a profile may set",
        ),
        ({"supervision_profiles": {"bot": {"command": ["bot"], "cwd": "here"}}}, "an absolute path"),
    ],
)
def test_unsafe_settings_are_refused_by_name(given: dict, says: str) -> None:
    with pytest.raises(SetupError, match=says):
        read_settings(**given)


def test_a_public_server_signs_nobody_in_without_credentials() -> None:
    settings = Settings(host="0.0.0.0", allowed_hosts=("m.example",), public_url="https://m.example")
    assert not settings.bootstraps_locally
    assert settings.issuer == "https://m.example"


@pytest.mark.parametrize(("host", "near"), [("localhost", True), ("::1", True), ("127.8.8.8", True), ("mutx", False)])
def test_loopback(host: str, near: bool) -> None:
    settings = Settings(host=host, allowed_hosts=("m.example",))
    assert settings.bootstraps_locally is near


def test_a_taken_port_is_named() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SetupError, match=f"port {port} on 127.0.0.1 is in use"):
            listen("127.0.0.1", port)
    with pytest.raises(SetupError, match="cannot listen"):
        listen("203.0.113.1", 0)

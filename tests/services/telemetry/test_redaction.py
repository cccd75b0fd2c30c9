"""Attacks on the redaction filter: whatever is written, the secret is not in it."""

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest

from mutx.services.telemetry.redaction import HIDDEN, MAX_TEXT, redact, redact_text

SECRET = "Zx9qLw3Tn8vRk2Hs"
JWT = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJlLXNpZ25hdHVyZQ"
KEY = "mutx_live_abcdefghijklmnop"
PEM = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----"

TEXTS = {
    "json": json.dumps({"user": "ana", "password": SECRET}),
    "json in json": json.dumps({"body": json.dumps({"password": SECRET})}),
    "json in json in json": json.dumps(json.dumps(json.dumps({"api_key": SECRET}))),
    "python": repr({"client_secret": SECRET, "n": 1}),
    "query": f"/cb?code=1&access_token={SECRET}&state=2",
    "percent-encoded": quote(f"password={SECRET}", safe=""),
    "header": f"Authorization: Bearer {SECRET}",
    "lower-case header": f"authorization:bearer {SECRET}",
    "basic": f"Authorization: Basic {base64.b64encode(f'ana:{SECRET}'.encode()).decode()}",
    "raw headers": repr([(b"authorization", f"Bearer {SECRET}".encode())]),
    "cookie": f"Cookie: theme=dark; refresh={SECRET}",
    "set-cookie": f"set-cookie: session={SECRET}; HttpOnly",
    "environment": f"SMTP_PASSWORD={SECRET} DEBUG=1",
    "url": f"postgresql+asyncpg://mutx:{SECRET}@db.internal:5432/mutx",
    "url with odd password": f"redis://:p%40{SECRET}/x@cache:6379/0",
    "sqlalchemy": f"INSERT INTO users\n[SQL: INSERT ...]\n[parameters: ('ana', '{SECRET}')]\n(Background ...)",
    "argon2": f"$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ${SECRET}",
    "bcrypt": f"$2b$12${SECRET}abcdefghijklmnop",
    "cli": f"mutx login --password={SECRET}",
    "yaml": f"password: {SECRET}",
    "quoted with spaces": f'{{"passphrase": "a {SECRET} b"}}',
    "camel case": f'{{"clientSecret": "{SECRET}", "accessToken":"{SECRET}"}}',
    "webhook": f"whsec_{SECRET}{SECRET}",
    "amazon": f"AWS_SECRET_ACCESS_KEY={SECRET}",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_what_a_name_or_a_form_gives_away_is_hidden(text: str) -> None:
    assert SECRET not in redact_text(text)
    assert HIDDEN in redact_text(text)


@pytest.mark.parametrize(
    "secret", [JWT, KEY, "sk-proj-abcdefghijklmnopqrstuvwx", "ghp_" + "a1" * 18, "AKIA" + "A1" * 8]
)
@pytest.mark.parametrize(
    "around",
    [
        str,
        lambda s: f"key {s} is odd",
        lambda s: f"<{s}>",
        lambda s: quote(f"bearer {s}"),
        lambda s: base64.b64encode(f"x {s}".encode()).decode(),
        lambda s: base64.b64encode(f"xy {s}".encode()).decode().rstrip("="),
        lambda s: base64.urlsafe_b64encode(f"\u00ff\u00fe {s}".encode()).decode(),
        lambda s: repr(s.encode()),
    ],
)
def test_credentials_are_hidden_wherever_they_stand(secret: str, around: Any) -> None:
    said = redact_text(around(secret))
    assert secret[4:] not in said
    assert base64.b64encode(secret.encode()).decode()[8:20] not in said


@pytest.mark.parametrize("pem", [PEM, PEM.replace("PRIVATE", "RSA PRIVATE"), PEM[:70], PEM.replace("\n", "\\n")])
def test_private_keys_are_hidden_whole_or_cut(pem: str) -> None:
    assert "MC4CAQ" not in redact_text(f"loaded {pem}")


def test_values_are_hidden_by_name_at_any_depth() -> None:
    class Holder:
        def __repr__(self) -> str:
            return f"Holder(password='{SECRET}')"

    deep: Any = SECRET
    for _ in range(50):
        deep = {"inner": deep}
    value = {
        "user": {"name": "ana", "PassWord": SECRET, "keys": [{"api-key": SECRET}, (SECRET.encode(),)][:1]},
        "headers": {"Cookie": [SECRET], "x-api-key": SECRET.encode()},
        "object": Holder(),
        "error": ValueError(f"token={SECRET}"),
        "bytes": f"password={SECRET}".encode(),
        KEY: "a name can be one",
        "deep": deep,
    }
    said = json.dumps(redact(value))
    assert SECRET not in said
    assert KEY not in said
    assert '"name": "ana"' in said


@pytest.mark.parametrize(
    "text", [f"api_key=sk-{SECRET}{SECRET}", f"password={HIDDEN}{SECRET}, ok", f"token: {HIDDEN} ok"]
)
def test_what_is_hidden_already_is_hidden_once(text: str) -> None:
    hidden = redact_text(text)
    assert SECRET not in hidden
    assert (hidden.count("["), hidden.count("]")) == (1, 1)
    assert redact_text(hidden) == hidden


def test_what_is_no_secret_stays() -> None:
    for text in (
        "agent 01a2029a-b50b-733e-be20-ab12958ffb98 did /v1/agents/{agent_id} in 12 ms",
        "the author of this authorised it",
        "3fdba35f04dc8c462986c992bcf875546257113072a909c162f7e470e581e278",
        "mutx_agents_total is 3",
        "https://example.org:8443/path?page=2",
        '{"max_tokens": 100, "token_type": "bearer"}',
    ):
        assert redact_text(text) == text
    assert redact({"max_tokens": 5, "has_password": True, "token": None}) == {
        "max_tokens": 5,
        "has_password": True,
        "token": None,
    }


def test_hostile_texts_cost_no_more_than_their_length() -> None:
    """Each would take a backtracking engine longer than the tests may last."""
    for hostile in (
        '"password' * 100_000,
        "password=" * 100_000,
        '\\"' * 200_000,
        "a://b:" * 100_000,
        "-----BEGIN PRIVATE KEY-----" * 50_000,
        "A" * 1_000_000,
        "%25" * 300_000,
        "eyJ" * 300_000 + "." * 100_000,
        "[parameters: " * 80_000,
    ):
        assert len(redact_text(hostile)) <= 2 * MAX_TEXT
    wide = {f"k{n}": ["x"] * 1000 for n in range(10_000)}
    assert len(redact(wide)) <= 200

"""Declared = served, under the paths that existing clients speak."""

import json
import re
import subprocess
import sys

from mutx.contract.operation import by_name
from mutx.contract.registry import FAMILIES
from mutx.server.openapi import DescribedApi


def described() -> dict[str, dict]:
    spec = DescribedApi().openapi()
    return {
        op["operationId"]: {**op, "place": (method.upper(), path)}
        for path, item in spec["paths"].items()
        for method, op in item.items()
    }


def test_declared_is_served() -> None:
    declared = by_name(FAMILIES)
    served = described()
    assert served.keys() == declared.keys()
    for name, op in declared.items():
        assert served[name]["place"] == (op.method, re.sub(r":path}", "}", op.url))
        assert served[name]["x-scope"] == op.scope
        assert bool(served[name]["security"]) is not op.public


EXISTING = """
GET /metrics
GET /health
GET /ready
GET /
POST /v1/agents
GET /v1/agents
GET /v1/agents/{agent_id}
DELETE /v1/agents/{agent_id}
GET /v1/agents/{agent_id}/config
PATCH /v1/agents/{agent_id}/config
GET /v1/agents/{agent_id}/logs
GET /v1/agents/{agent_id}/metrics
POST /v1/agents/register
POST /v1/agents/heartbeat
POST /v1/agents/metrics
GET /v1/agents/commands
POST /v1/agents/commands/acknowledge
POST /v1/agents/logs
GET /v1/agents/{agent_id}/status
GET /v1/agents/{agent_id}/versions
POST /v1/auth/register
POST /v1/auth/login
POST /v1/auth/local-bootstrap
POST /v1/auth/refresh
POST /v1/auth/logout
GET /v1/auth/me
GET /v1/auth/oauth/{provider}/authorize
POST /v1/auth/oauth/{provider}/exchange
GET /v1/api-keys
POST /v1/api-keys
GET /v1/api-keys/{key_id}
DELETE /v1/api-keys/{key_id}
POST /v1/api-keys/{key_id}/rotate
"""


def test_what_existing_clients_call_is_there() -> None:
    places = {op["place"] for op in described().values()}
    assert {tuple(line.split()) for line in EXISTING.split("\n") if line} <= places


def test_answers_have_the_fields_existing_clients_read() -> None:
    schemas = DescribedApi().openapi()["components"]["schemas"]
    fields = {name: set(schema.get("properties", ())) for name, schema in schemas.items()}
    assert {"access_token", "refresh_token", "token_type", "expires_in"} <= fields["Tokens"]
    assert {"verification_email_sent", "requires_email_verification"} <= fields["Registered"]
    assert {"id", "email", "name", "plan", "created_at", "is_active", "is_email_verified"} <= fields["User"]
    assert {"id", "name", "key", "created_at", "expires_at"} <= fields["ApiKeyCreated"]
    assert {"id", "name", "last_used", "created_at", "expires_at", "is_active"} <= fields["ApiKey"]
    assert {"items", "total", "skip", "limit", "has_more"} <= fields["Page_Agent_"]
    assert {"agent_id", "api_key", "status", "message"} <= fields["AgentRegistered"]
    assert {"code", "message", "details", "request_id", "detail"} <= fields["Problem"]


def test_the_description_is_the_same_bytes_each_time() -> None:
    runs = [
        subprocess.run([sys.executable, "-m", "mutx.server.openapi"], capture_output=True, check=True).stdout
        for _ in range(2)
    ]
    assert runs[0] == runs[1]
    assert json.loads(runs[0])["openapi"].startswith("3.")

"""Every operation as every role, against the table that docs/roles.md shows to people."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.contract.requests import described
from tests.contract.tenants import Tenants
from tests.faults.world import PASSWORD

PAGE = (Path(__file__).parents[2] / "docs" / "roles.md").read_text("utf-8")
ROW = re.compile(r"^\| ([a-z_]+:[a-z]+|admin) \|(.*)\|$", re.MULTILINE)
COLUMNS = ("ADMIN", "DEVELOPER", "AUDIT_ADMIN", "VIEWER", "agent")
MATRIX = {
    scope: {column for column, cell in zip(COLUMNS, cells.split("|"), strict=True) if cell.strip()}
    for scope, cells in ROW.findall(PAGE)
}
OPERATIONS = [op for op in described() if op.scope]
REFUSED = re.compile(r"this needs the scope")


class Staff(Tenants):
    """One member of each role, and an agent."""

    def hire(self) -> dict[str, httpx2.AsyncClient]:
        workspace = self.known["workspace_id"]
        staff = {"ADMIN": self.ana}
        for role in COLUMNS[1:4]:
            http = self._person(role.lower())
            address = f"{role.lower()}@example.org"
            member = {"email": address, "role": role}
            self.do(self.ana, "PUT", f"/v1/workspaces/{workspace}/members", member)
            login = {"email": address, "password": PASSWORD, "workspace_id": workspace}
            token = self.do(http, "POST", "/v1/auth/login", login)["access_token"]
            http.headers["authorization"] = f"Bearer {token}"
            staff[role] = http
        agent = self.do(self.ana, "POST", "/v1/agents/register", {"name": "agent"})
        staff["agent"] = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(self.plane.app, raise_app_exceptions=False),
            base_url="http://127.0.0.1",
            headers={"authorization": f"Bearer {agent['api_key']}"},
        )
        return staff


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staff]:
    made = Staff(tmp_path_factory.mktemp("roles") / "home")
    yield made
    made.close()


def test_the_table_has_a_row_for_every_scope_and_no_other() -> None:
    assert {op.scope for op in OPERATIONS} == MATRIX.keys()


def test_every_operation_lets_in_whom_the_table_names_and_nobody_else(office: Staff) -> None:
    """Of what exists nowhere, so that whoever is let in changes little; the operation that ends a login comes last."""
    staff, wrong = office.hire(), []
    for op in sorted(OPERATIONS, key=lambda op: op.name == "logout"):
        request = op.request(office.missing())
        for column, http in staff.items():
            expected = column in MATRIX[op.scope]
            if op.stream and expected:
                continue  # `require` is the same for streams; those who are refused show it
            answer = office.send(http, request)
            # a batch answers 200 and refuses each of its items
            refused = answer.status_code in (200, 403) and bool(REFUSED.search(answer.text))
            if refused is expected or answer.status_code == 401:
                wrong.append((op.name, column, answer.status_code, answer.text[:120]))
    for http in [http for column, http in staff.items() if column != "ADMIN"]:
        office.run(http.aclose())
    assert wrong == []


def test_auditors_and_viewers_change_nothing() -> None:
    """Reading is all that their scopes allow, but for ending their own login."""
    for op in OPERATIONS:
        if op.method != "get" and MATRIX[op.scope] & {"AUDIT_ADMIN", "VIEWER"}:
            assert op.scope.endswith(":read"), op.name

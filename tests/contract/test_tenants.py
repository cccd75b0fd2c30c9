"""Every operation of the API, tried by another tenant: what is not theirs is not there, and stays as it was.

The operations come from the API's own description, so that a new one is tried without anyone adding it.
"""

from collections.abc import Iterator

import httpx2
import pytest

from tests.contract.requests import described
from tests.contract.tenants import MARK, Tenants, tenants

OPERATIONS = {op.name: op for op in described() if op.scope}

OWN_NAMES = {
    "put_policy": "names a policy of one's own workspace, which may be new",
    "get_audit_trace": "asks for the events of a trace, and there are none",
}
"""Operations whose path holds a name that each workspace gives for itself: they answer something else than 404."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenants]:
    with tenants(tmp_path_factory.mktemp("tenants") / "home") as made:
        yield made


def names_ids(name: str) -> bool:
    return bool(OPERATIONS[name].parameters("path"))


@pytest.mark.parametrize("name", [name for name in OPERATIONS if names_ids(name)])
def test_anothers_id_is_no_id(world: Tenants, name: str) -> None:
    """404 at another tenant's id, in the words of an id that does not exist, and nothing of theirs has changed."""
    eve, before = world.stranger(OPERATIONS[name].method), world.anas_rows()
    there, nowhere = OPERATIONS[name].request(world.known), OPERATIONS[name].request(world.missing())
    answer, missing = world.send(eve, there), world.send(eve, nowhere)
    assert answer.status_code == missing.status_code, (answer.text, missing.text)
    if name not in OWN_NAMES:
        assert answer.status_code == 404, answer.text
        message = missing.json()["message"]
        for field, value in nowhere.named.items():
            message = message.replace(value, there.named[field])
        assert answer.json()["message"] == message
    assert_nothing_of_anas(world, answer.text, there.named.values())
    assert_untouched(world, eve, before)


@pytest.mark.parametrize("name", [name for name, op in OPERATIONS.items() if not names_ids(name) and not op.stream])
def test_lists_and_bodies_reach_nothing_of_anothers(world: Tenants, name: str) -> None:
    """Operations that name others' things in a query or a body, or name nothing: no trace of Ana, and none left."""
    if name == "logout":
        pytest.skip("ends the login it comes from; it takes no id of a thing")
    eve, before = world.stranger(OPERATIONS[name].method), world.anas_rows()
    there, nowhere = OPERATIONS[name].request(world.known), OPERATIONS[name].request(world.missing())
    answer, missing = world.send(eve, there), world.send(eve, nowhere)
    assert answer.status_code == missing.status_code, (answer.text, missing.text)
    assert answer.status_code < 500, answer.text
    assert_nothing_of_anas(world, answer.text, there.named.values())
    assert_untouched(world, eve, before)


def test_the_requests_are_right(world: Tenants) -> None:
    """For their owner the same requests find what they name; the last ones take it away."""
    order = {"GET": 0, "PUT": 1, "PATCH": 1, "POST": 1, "DELETE": 2}
    wanted = [op for name, op in OPERATIONS.items() if names_ids(name) and not op.stream and name != "leave_workspace"]
    # Ana herself is removed last: a member that she has just added administers the workspace by then.
    wanted.sort(key=lambda op: (op.name == "remove_member", order[op.method.upper()], -len(op.path)))
    for name, request in [(op.name, op.request(world.known)) for op in wanted]:
        answer = world.send(world.ana, request)
        assert answer.status_code not in (401, 403, 404, 422), (name, answer.text)


def assert_nothing_of_anas(world: Tenants, text: str, said: object) -> None:
    """`said`: what Eve brought along herself."""
    for word in said:
        text = text.replace(word, "")
    assert MARK not in text
    assert not [word for word in world.secrets if word in text]


def assert_untouched(world: Tenants, eve: httpx2.AsyncClient, before: set[str]) -> None:
    """Every row that was there is as it was. New ones are Eve's own, even where they repeat a name she has heard of."""
    after, hers = world.anas_rows(), [w["id"] for w in world.do(eve, "GET", "/v1/workspaces")["items"]]
    assert before <= after
    assert [row for row in after - before if not any(workspace in row for workspace in hers)] == []

"""Whatever the API's own description admits, and what it does not: never a 5xx, always an answer that it describes."""

import os
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
import requests
import schemathesis
from hypothesis import settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from mutx.contract.operation import by_name, operations
from mutx.contract.registry import FAMILIES
from mutx.server.openapi import DescribedApi
from tests.fuzz.target import RANDOM_ELSEWHERE, Target
from tests.witness import Witness

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

pytestmark = RANDOM_ELSEWHERE

OPERATIONS = by_name(FAMILIES)
REFUSED = {400, 401, 404, 405, 413}
"""What nobody in particular may get from an operation that is not public: 404 and 405 for addresses that are none."""

A_LOT = int(os.environ.get("FUZZ_EXAMPLES", "1500"))
"""Requests of each operation in the long search."""

STREAMS = [op.name for family in FAMILIES.values() for op in operations(family) if op.stream]
"""Server-sent events end when a person answers or the client leaves, not by themselves: tests of their own read them."""


def described() -> Any:
    """Without generated credentials: they would show 401 and nothing behind it."""
    schema = schemathesis.openapi.from_dict(DescribedApi().openapi())
    schema.config.generation.update(with_security_parameters=False)
    return schema.exclude(operation_id=STREAMS)


schema = described()


MOMENT = 0.01
"""Seconds that a request waits at most which says itself how long: thirty of them for each would take a day."""


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory, session_witness: tuple[Witness, Any]) -> Iterator[Target]:
    made = Target(tmp_path_factory.mktemp("fuzz") / "home", session_witness[0])
    yield made
    made.close()


def check(target: Target, case: Any, *, stranger: bool = False) -> None:
    """As generated, and again at the address of something that exists."""
    hasten(case)
    send(target, case, stranger)
    if case.path_parameters:
        case.path_parameters.update({name: target.known[name] for name in case.path_parameters})
        send(target, case, stranger)


def hasten(case: Any) -> None:
    asked = (case.query or {}).get("wait")
    if isinstance(asked, int | float) and asked > MOMENT:
        case.query["wait"] = MOMENT


def send(target: Target, case: Any, stranger: bool) -> None:
    wanted = requests.Request(**case.as_transport_kwargs(base_url="http://127.0.0.1")).prepare()
    ask = target.send_as_stranger if stranger else target.send
    try:
        answer = ask(wanted.method, wanted.url, headers=dict(wanted.headers), content=wanted.body)
    except httpx2.InvalidURL:
        return  # no client can send it
    assert not target.witness.leaks()
    target.witness.forget_chosen()
    if answer.status_code == 401 and not stranger:
        target.sign_in()  # the request before ended this session
    case.validate_response(Response.from_httpx2(answer, verify=True), checks=CHECKS)
    if stranger and not operation_of(case).public:
        assert answer.status_code in REFUSED, answer.text


def operation_of(case: Any) -> Any:
    return OPERATIONS[case.operation.definition.raw["operationId"]]


@schema.parametrize()
@settings(max_examples=30, derandomize=True)
def test_some_of_everything(target: Target, case: Any) -> None:
    check(target, case)


@schema.parametrize()
@settings(max_examples=8, derandomize=True)
def test_some_of_everything_from_nobody(target: Target, case: Any) -> None:
    check(target, case, stranger=True)


@pytest.mark.fuzz
@schema.parametrize()
@settings(max_examples=A_LOT)
def test_a_lot_of_everything(target: Target, case: Any) -> None:
    check(target, case)


@pytest.mark.fuzz
@schema.parametrize()
@settings(max_examples=A_LOT // 5)
def test_a_lot_of_everything_from_nobody(target: Target, case: Any) -> None:
    check(target, case, stranger=True)

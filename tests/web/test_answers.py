"""What an operation says it may refuse with."""

from mutx.contract import agents, auth, health
from mutx.contract.operation import by_name
from mutx.contract.registry import FAMILIES
from mutx.server.openapi import DescribedApi
from mutx.web.answers import MEANING, errors_of
from mutx.web.problems import STATUS


def test_the_kind_of_an_operation_says_what_may_go_wrong() -> None:
    assert errors_of(health.health) == (400, 408, 413, 429, 500, 503)
    assert 401 in errors_of(health.metrics)
    assert {401, 409, 422} <= set(errors_of(auth.login))
    assert {401, 403, 404, 422} <= set(errors_of(agents.get_agent))
    assert {409, 507}.isdisjoint(errors_of(agents.get_agent))
    assert {409, 507} <= set(errors_of(agents.create_agent))


def test_every_status_that_errors_go_out_by_has_a_meaning() -> None:
    assert set(STATUS.values()) <= set(MEANING)
    assert {status for op in by_name(FAMILIES).values() for status in errors_of(op)} <= set(MEANING)


def test_the_description_lists_them_and_nothing_else() -> None:
    described = DescribedApi().openapi()
    for methods in described["paths"].values():
        for operation in methods.values():
            assert "default" not in operation["responses"]
            own = [status for status in operation["responses"] if status < "400"]
            assert len(own) == 1
    export = described["paths"]["/v1/security/receipts/export"]["get"]["responses"]["200"]["content"]
    assert export == {"application/vnd.mutx.receipts+json": {"schema": {"type": "object"}}}
    for name, answer in described["components"]["responses"].items():
        assert answer["content"]["application/json"]["schema"]["$ref"].endswith("/Problem"), name
    assert set(described["components"]["schemas"]["Problem"]["properties"]) == {
        "code",
        "message",
        "details",
        "request_id",
        "timestamp",
        "detail",
    }

"""An operation is worked out once, and refuses to contradict itself."""

from typing import Annotated
from uuid import UUID

import pytest
from pydantic import Field

from mutx.contract import agents, auth
from mutx.contract.base import Limit, Page, Schema
from mutx.contract.operation import by_name, operation, operations
from mutx.contract.registry import FAMILIES


class Thing(Schema):
    name: str


def test_an_operation_knows_its_parts() -> None:
    @operation("POST", "/things/{thing_id}/parts/{path:path}", scope="things:write", status=201)
    def add_part(thing_id: UUID, path: str, body: Thing, limit: Limit = 5) -> Page[Thing]:
        """Add a part.

        It fits."""

    assert (add_part.name, add_part.method, add_part.scope, add_part.status) == (
        "add_part",
        "POST",
        "things:write",
        201,
    )
    assert add_part.url == "/v1/things/{thing_id}/parts/{path:path}"
    assert add_part.path_parameters == {"thing_id", "path"}
    assert list(add_part.parameters) == ["thing_id", "path", "body", "limit"]
    assert add_part.body_parameter is not None
    assert add_part.body_parameter.annotation is Thing
    assert add_part.parameters["limit"].annotation == Limit
    assert add_part.returns == Page[Thing]
    assert add_part.doc.startswith("Add a part.")
    assert add_part.family == __name__.rpartition(".")[2]
    assert not add_part.public
    assert not add_part.stream


def test_nothing_to_answer_is_204_and_events_are_a_stream() -> None:
    @operation("DELETE", "/things", scope="things:write")
    def clear_things() -> None: ...

    @operation("GET", "/things/stream", public=True, stream=True, prefix="")
    def stream_things() -> Thing: ...

    assert (clear_things.status, clear_things.returns) == (204, None)
    assert (stream_things.media_type, stream_things.url) == ("text/event-stream", "/things/stream")


@pytest.mark.parametrize("given", [{}, {"scope": "a:read", "public": True}])
def test_an_operation_has_a_scope_or_is_public(given: dict) -> None:
    def declaration() -> None: ...

    with pytest.raises(TypeError, match="scope"):
        operation("GET", "/x", **given)(declaration)


def test_path_and_answer_must_be_declared() -> None:
    def lacks_the_path() -> None: ...

    def lacks_the_answer():  # type: ignore[no-untyped-def]
        ...

    with pytest.raises(TypeError, match="thing_id"):
        operation("GET", "/x/{thing_id}", public=True)(lacks_the_path)
    with pytest.raises(TypeError, match="returns"):
        operation("GET", "/x", public=True)(lacks_the_answer)


def test_operations_of_a_family_come_in_source_order_and_once() -> None:
    names = [op.name for op in operations(agents)]
    assert names[0] == "list_agents"
    assert len(names) == len(set(names))
    assert {op.family for op in operations(auth)} == {"auth"}


def test_no_two_operations_share_a_name_or_a_place() -> None:
    found = by_name(FAMILIES)
    places = [(op.method, op.url) for op in found.values()]
    assert len(places) == len(set(places))
    with pytest.raises(TypeError, match="list_agents"):
        by_name({"one": agents, "two": agents})


def test_every_operation_is_documented_and_lists_are_bounded() -> None:
    for op in by_name(FAMILIES).values():
        assert op.doc, op.name
        if (limit := op.parameters.get("limit")) is not None:
            assert limit.annotation == Limit or "Le" in repr(limit.annotation) or "le=" in repr(limit.annotation), (
                op.name
            )


def test_annotated_parameters_keep_their_bounds() -> None:
    Small = Annotated[int, Field(le=3)]

    @operation("GET", "/x", public=True)
    def small(n: Small = 1) -> None: ...

    assert small.parameters["n"].annotation == Small

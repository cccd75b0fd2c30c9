"""The SDK's groups and the contract are the same list."""

from mutx.contract.operation import operations
from mutx.contract.registry import FAMILIES
from mutx.sdk import groups
from mutx.sdk.group import Call, Group, Stream, methods


def by_family() -> dict[str, type[Group[object]]]:  # type: ignore[type-var]
    api = groups.Api(None)  # type: ignore[type-var]
    return {name: type(value) for name, value in vars(api).items() if isinstance(value, Group)}


def test_every_family_is_a_group_and_every_operation_a_method() -> None:
    found = by_family()
    assert found.keys() == FAMILIES.keys()
    for name, family in FAMILIES.items():
        assert {op.name for op in methods(found[name]).values()} == {op.name for op in operations(family)}, name


def test_streams_are_streams_and_calls_are_calls() -> None:
    for group in by_family().values():
        for value in vars(group).values():
            if isinstance(value, Call | Stream):
                assert isinstance(value, Stream) == value.operation.stream

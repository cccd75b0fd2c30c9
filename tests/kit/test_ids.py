"""Ids sort by time; tokens do not repeat."""

from uuid import UUID

import pytest

from mutx.kit.ids import is_uuid, new_id, new_token, new_uuid


def test_ids_are_uuid_version_7_in_order():
    ids = [new_id() for _ in range(200)]
    assert ids == sorted(set(ids))
    assert {UUID(each).version for each in ids} == {7}
    assert new_uuid().version == 7


def test_tokens_are_url_safe_and_unlike():
    tokens = {new_token() for _ in range(50)}
    assert len(tokens) == 50
    assert all(len(token) == 32 and token.replace("-", "a").replace("_", "a").isalnum() for token in tokens)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("018f0000-0000-7000-8000-000000000000", True),
        ("018F0000-0000-7000-8000-000000000000", True),
        ("018f000000007000800000000000000000", False),
        ("018f00000000700080000000000000ab", False),
        ("", False),
        ("agent-1", False),
    ],
)
def test_what_is_a_uuid(text, good):
    assert is_uuid(text) is good

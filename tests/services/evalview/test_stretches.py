"""Long texts in parts: nothing is left out, and what is short enough is whole in one of them."""

from hypothesis import given
from hypothesis import strategies as st

from mutx.services.evalview.stretches import stretches


@given(st.text(max_size=60), st.integers(2, 20), st.data())
def test_whatever_is_short_is_whole_in_one_of_them(text: str, size: int, data: st.DataObject) -> None:
    shared = data.draw(st.integers(1, size - 1))
    parts = list(stretches(text, size, shared))
    assert all(len(part) <= size and text[at : at + len(part)] == part for at, part in parts)
    for at in range(max(1, len(text) - shared + 1)):
        assert any(begin <= at and at + shared <= begin + size for begin, _ in parts)

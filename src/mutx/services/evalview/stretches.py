"""Long texts in parts, for readers that take so much at a time, or more than twice as long for twice as much."""

from collections.abc import Iterator


def stretches(text: str, size: int, shared: int) -> Iterator[tuple[int, str]]:
    """All of the text in runs of at most `size` characters, each with its place.

    Neighbours share `shared` characters, fewer than `size`: whatever is no longer than that is whole in one of them.
    """
    yield 0, text[:size]
    for at in range(size - shared, len(text) - shared, size - shared):
        yield at, text[at : at + size]

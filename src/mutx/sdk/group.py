"""Methods that mirror contract operations, for the blocking and the asynchronous client alike."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from typing import Any, Generic, ParamSpec, TypeVar, overload

from mutx.contract.operation import Operation
from mutx.sdk.transport import AsyncTransport, SyncTransport

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T", SyncTransport, AsyncTransport)


class Group(Generic[T]):
    """The operations of one resource family over one transport."""

    def __init__(self, transport: T) -> None:
        self.transport: T = transport


class Call(Generic[P, R]):
    """A method that performs an operation."""

    def __init__(self, operation: Operation[P, R]) -> None:
        self.operation = operation

    @overload
    def __get__(self, group: None, owner: type) -> "Call[P, R]": ...
    @overload
    def __get__(self, group: Group[SyncTransport], owner: type) -> Callable[P, R]: ...
    @overload
    def __get__(self, group: Group[AsyncTransport], owner: type) -> Callable[P, Awaitable[R]]: ...
    def __get__(self, group: Group[Any] | None, owner: type) -> Any:
        return self if group is None else partial(group.transport.call, self.operation)


class Stream(Generic[P, R]):
    """A method that follows an operation's server-sent events; the iterator ends when the server ends it."""

    def __init__(self, operation: Operation[P, R]) -> None:
        self.operation = operation

    @overload
    def __get__(self, group: None, owner: type) -> "Stream[P, R]": ...
    @overload
    def __get__(self, group: Group[SyncTransport], owner: type) -> Callable[P, Iterator[R]]: ...
    @overload
    def __get__(self, group: Group[AsyncTransport], owner: type) -> Callable[P, AsyncIterator[R]]: ...
    def __get__(self, group: Group[Any] | None, owner: type) -> Any:
        return self if group is None else partial(group.transport.stream, self.operation)


def methods(group: type[Group[Any]]) -> dict[str, Operation[Any, Any]]:
    """A group's operations by method name, in the order in which they are declared."""
    return {name: value.operation for name, value in vars(group).items() if isinstance(value, Call | Stream)}

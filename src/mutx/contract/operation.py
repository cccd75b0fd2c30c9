"""An API operation as a value: declared once, then served, called, listed and documented from the same object."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from string import Formatter
from types import MappingProxyType, ModuleType
from typing import Any, Generic, Literal, ParamSpec, TypeVar, get_type_hints

P = ParamSpec("P")
R = TypeVar("R")

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

BODY = "body"
"""A parameter of this name is the request body; names in the path are path parameters; the rest is the query."""


@dataclass(frozen=True, slots=True, eq=False)
class Operation(Generic[P, R]):
    """What crosses the wire for one verb. Everything is worked out once, at import."""

    method: Method
    path: str
    scope: str
    """`family:verb` that the caller must hold; empty for a public operation."""
    declared: Callable[P, R]
    name: str
    """Unique over all families; the OpenAPI operation id."""
    family: str
    """The contract module that declares it: also slice, SDK attribute and CLI group."""
    doc: str
    signature: inspect.Signature
    """The declaration's signature with evaluated annotations (`Annotated` kept)."""
    status: int
    public: bool
    stream: bool
    """Answers with server-sent events; `returns` is then the shape of one event's data."""
    prefix: str
    media_type: str
    """What the answer's body is; only `application/json` bodies are read as `returns`."""
    path_parameters: frozenset[str]
    errors: tuple[int, ...]
    """Statuses that it may refuse with beyond those of its kind; for its description."""

    @property
    def returns(self) -> Any:
        """The annotation of the answer; `None` for an empty one."""
        return self.signature.return_annotation

    @property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        return self.signature.parameters

    @property
    def body_parameter(self) -> inspect.Parameter | None:
        return self.signature.parameters.get(BODY)

    @property
    def url(self) -> str:
        """The path from the server's root, with `{name}` templates."""
        return self.prefix + self.path


def _signature(declared: Callable[..., Any]) -> inspect.Signature:
    hints = get_type_hints(declared, include_extras=True)
    if "return" not in hints:
        raise TypeError(f"operation {declared.__name__}: declare what it returns (None for an empty answer)")
    plain = inspect.signature(declared)
    parameters = [p.replace(annotation=hints[name]) for name, p in plain.parameters.items()]
    returns = None if hints["return"] is type(None) else hints["return"]
    return plain.replace(parameters=parameters, return_annotation=returns)


def _names_in(path: str) -> frozenset[str]:
    return frozenset(name.partition(":")[0] for _, name, _, _ in Formatter().parse(path) if name)


def operation(
    method: Method,
    path: str,
    *,
    scope: str = "",
    status: int | None = None,
    public: bool = False,
    stream: bool = False,
    prefix: str = "/v1",
    media_type: str = "application/json",
    errors: tuple[int, ...] = (),
) -> Callable[[Callable[P, R]], Operation[P, R]]:
    """Turn a typed declaration into an `Operation`.

    `status` is 200 unless given (204 where it returns None). Raises TypeError, at import, for a declaration
    that contradicts itself.
    """

    def wrap(declared: Callable[P, R]) -> Operation[P, R]:
        signature, in_path = _signature(declared), _names_in(path)
        if public == bool(scope):
            raise TypeError(f"operation {declared.__name__}: give it a scope, or declare it public")
        if missing := in_path - signature.parameters.keys():
            raise TypeError(
                f"operation {declared.__name__}: {sorted(missing)} stand in the path and not in the signature"
            )
        empty = 204 if signature.return_annotation is None else 200
        return Operation(
            method=method,
            path=path,
            scope=scope,
            declared=declared,
            name=declared.__name__,
            family=declared.__module__.rpartition(".")[2],
            doc=inspect.getdoc(declared) or "",
            signature=signature,
            status=status or empty,
            public=public,
            stream=stream,
            prefix=prefix,
            media_type="text/event-stream" if stream else media_type,
            path_parameters=in_path,
            errors=errors,
        )

    return wrap


def operations(family: ModuleType) -> tuple[Operation[Any, Any], ...]:
    """Every operation a contract module declares itself, in source order."""
    return tuple(
        v for v in vars(family).values() if isinstance(v, Operation) and v.declared.__module__ == family.__name__
    )


def by_name(families: Mapping[str, ModuleType]) -> Mapping[str, Operation[Any, Any]]:
    """All operations of the given families. Raises TypeError if two of them share a name."""
    found: dict[str, Operation[Any, Any]] = {}
    for family in families.values():
        for op in operations(family):
            if op.name in found:
                raise TypeError(f"two operations are called {op.name}: in {found[op.name].family} and in {op.family}")
            found[op.name] = op
    return MappingProxyType(found)

"""A Python call as named arguments, and changed arguments as a Python call."""

import inspect
from collections.abc import Callable
from typing import Any

from mutx_agent.transport.base import Json
from mutx_agent.values import CannotModify, back, same, to_json

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class CallShape:
    """How a callable takes its arguments. Worked out once, when the callable is governed."""

    def __init__(self, function: Callable[..., Any]) -> None:
        try:
            self._signature = inspect.signature(function)
        except (ValueError, TypeError) as error:
            raise TypeError(
                f"{function!r} has no signature, so its arguments have no names to govern: wrap it in a def that names them"
            ) from error
        parameters = list(self._signature.parameters.values())
        self._receiver = parameters[0].name if parameters and _is_method(function, parameters[0]) else None
        self._rest = next((p.name for p in parameters if p.kind is inspect.Parameter.VAR_KEYWORD), None)

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> "BoundCall":
        """Raises TypeError, as the call itself would, when the arguments do not fit."""
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        values = {name: value for name, value in bound.arguments.items() if name not in (self._receiver, self._rest)}
        rest = bound.arguments.get(self._rest, {}) if self._rest else {}
        clash = values.keys() & rest.keys()
        if clash:
            raise TypeError(
                f"{', '.join(sorted(clash))}: given twice, once as extra keyword; such a call has no names to govern"
            )
        return BoundCall(self, bound, values | rest)

    def rebind(self, bound: inspect.BoundArguments, values: dict[str, Any]) -> inspect.BoundArguments:
        """The call with `values` instead. Raises CannotModify for values that the callable does not take."""
        names = self._signature.parameters
        extra = {
            name: value for name, value in values.items() if name not in names or names[name].kind in _VARIADIC[1:]
        }
        if extra and self._rest is None:
            raise CannotModify(f"the policy set {', '.join(sorted(extra))}, which the tool does not take")
        changed = inspect.BoundArguments(self._signature, {})
        for name, parameter in names.items():
            if name == self._receiver:
                changed.arguments[name] = bound.arguments[name]
            elif name == self._rest:
                changed.arguments[name] = extra
            elif name in values:
                changed.arguments[name] = values[name]
            elif parameter.default is inspect.Parameter.empty and parameter.kind not in _VARIADIC:
                raise CannotModify(f"the policy removed {name}, which the tool needs")
        changed.apply_defaults()
        return changed


class BoundCall:
    """One call: what is sent of it, and how to make it."""

    def __init__(self, shape: CallShape, bound: inspect.BoundArguments, values: dict[str, Any]) -> None:
        self._shape, self._bound, self._values = shape, bound, values
        self.sent: Json = {name: to_json(value) for name, value in values.items()}

    def arguments(self, allowed: Json) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional and keyword arguments for the call that was allowed. Raises CannotModify."""
        bound = self._bound
        if not same(allowed, self.sent):
            changed = {
                name: back(self._values[name], self.sent[name], item, name) if name in self.sent else item
                for name, item in allowed.items()
            }
            bound = self._shape.rebind(bound, changed)
        return bound.args, bound.kwargs


def _is_method(function: Callable[..., Any], first: inspect.Parameter) -> bool:
    """True for a function written in a class body: its receiver is no argument of the tool."""
    owner = getattr(function, "__qualname__", "").rpartition(".")[0]
    return first.name in ("self", "cls") and bool(owner) and not owner.endswith("<locals>")

"""The variables of conditions: built when first read, converted for CEL once per decision."""

from collections.abc import Callable, Mapping
from typing import Any

from mutx.governance.context import Observation
from mutx.governance.policy import history
from mutx.governance.policy.cel_library import cel
from mutx.governance.policy.kinds import Kind
from mutx.governance.policy.phases import PhasePlan
from mutx.governance.types import Facts, NormalizedAction
from mutx.kit.clock import rfc3339, to_datetime

RECENT_TOOLS = 20
"""`session.tools` holds the names of this many latest calls."""

KINDS: Mapping[str, Mapping[str, Kind]] = {
    "action": dict.fromkeys("tool operation service trigger runtime parent".split(), Kind.TEXT),
    "session": {
        **dict.fromkeys("original_request stated_intent confidentiality intent phase".split(), Kind.TEXT),
        **dict.fromkeys("calls denied errors level drift farthest".split(), Kind.NUMBER),
        "untrusted": Kind.BOOLEAN,
        "tools": Kind.LIST,
        "signals": Kind.LIST,
    },
    "identity": {
        **dict.fromkeys("user agent kind".split(), Kind.TEXT),
        **dict.fromkeys("roles scopes delegation".split(), Kind.LIST),
    },
    "time": {**dict.fromkeys("unix hour weekday".split(), Kind.NUMBER), "iso": Kind.TEXT},
}
"""Variable -> field -> what it holds. `args` is the call's own."""
FIELDS: Mapping[str, frozenset[str]] = {name: frozenset(fields) for name, fields in KINDS.items()}


def field_kind(path: tuple[str, ...]) -> Kind | None:
    """What stands at a path, whatever the call; None where that depends on the call."""
    if len(path) == 1:
        return Kind.MAP if path[0] in KINDS or path[0] == "args" else None
    return KINDS.get(path[0], {}).get(path[1]) if len(path) == 2 else None


class Variables:
    """What the conditions of one decision may read. A field without a value is absent, so reading it defers."""

    __slots__ = ("_context", "_plan", "_roots", "_sources", "_wanted")

    def __init__(
        self,
        action: NormalizedAction,
        observation: Observation,
        facts: Facts,
        wanted: frozenset[str],
        plan: PhasePlan | None = None,
    ) -> None:
        """`wanted`: the variables that any CEL program of this decision may read. `plan`: the agent's phases."""
        self._sources = (action, observation, facts)
        self._plan = plan
        self._wanted = wanted
        self._roots: dict[str, dict[str, Any]] = {"args": action.tool_args}
        self._context: Any = None

    def root(self, name: str) -> dict[str, Any]:
        found = self._roots.get(name)
        if found is None:
            build = BUILDERS.get(name)
            found = self._roots[name] = build(*self._sources) if build else {}
            if name == "session" and (phase := self._phase()) is not None:
                found["phase"] = phase
        return found

    def context(self) -> Any:
        """The CEL library's form of the wanted variables. Raises ValueError for values that it cannot hold."""
        if self._context is None:
            known = {name: self.root(name) for name in sorted(self._wanted) if name in BUILDERS or name == "args"}
            functions = self._history().functions() if history.ROOT in self._wanted else None
            self._context = cel.Context(variables=known, functions=functions)
        return self._context

    def _phase(self) -> str | None:
        """Empty after the last phase; None for an agent without phases."""
        if self._plan is None:
            return None
        _, observation, facts = self._sources
        phase = self._plan.current(observation.context, facts.now)
        return phase.id if phase is not None else ""

    def _history(self) -> history.History:
        _, observation, facts = self._sources
        return history.History(observation.context, facts.now)


def _action(action: NormalizedAction, _: Observation, __: Facts) -> dict[str, Any]:
    return _present(
        tool=action.tool_name,
        operation=action.operation,
        service=action.service,
        trigger=action.trigger,
        runtime=action.runtime,
        parent=action.parent_action_id,
    )


def _session(_: NormalizedAction, observation: Observation, __: Facts) -> dict[str, Any]:
    context = observation.context
    return _present(
        original_request=context.original_request,
        stated_intent=context.stated_intent,
        calls=context.counters.tool_call_count,
        denied=context.counters.denied_count,
        errors=context.counters.error_count,
        confidentiality=observation.confidentiality.name,
        level=int(observation.confidentiality),
        untrusted=context.holds_untrusted,
        intent=observation.intent.value,
        drift=observation.drift,  # after `intent`, which counts this action in
        farthest=max(context.farthest, observation.step),
        signals=list(context.signals),
        tools=[record.tool_name for record in context.actions[-RECENT_TOOLS:]],
    )


def _identity(action: NormalizedAction, _: Observation, facts: Facts) -> dict[str, Any]:
    return {
        "user": action.user_id,
        "agent": action.agent_id,
        "roles": list(facts.roles),
        "scopes": list(facts.scopes),
        "kind": facts.principal_kind.value,
        "delegation": [hop.delegator for hop in facts.delegation],
    }


def _time(_: NormalizedAction, __: Observation, facts: Facts) -> dict[str, Any]:
    """UTC; `weekday` 0 is Monday."""
    at = to_datetime(facts.now)
    return {"unix": facts.now, "hour": at.hour, "weekday": at.weekday(), "iso": rfc3339(facts.now)}


def _present(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


BUILDERS: Mapping[str, Callable[[NormalizedAction, Observation, Facts], dict[str, Any]]] = {
    "action": _action,
    "session": _session,
    "identity": _identity,
    "time": _time,
}

"""What the policy may know of a session when it decides one action. Read-only; made anew for every decision."""

from typing import Any

from mutx.governance.arguments_path import values_at
from mutx.governance.context.delta import SessionOpening
from mutx.governance.context.session import SessionContext
from mutx.governance.context.told import ToldValue
from mutx.governance.intent import STANDARD, DriftThresholds, Scope, bounded, cumulative, distance, signal
from mutx.governance.provenance import worst
from mutx.governance.requested import ORDER, asks_for
from mutx.governance.tools import Access, ToolSchema
from mutx.governance.types import ArgumentOrigin, Confidentiality, IntentSignal, NormalizedAction, Origin
from mutx.kit.canonical import canonical

MAX_SHOWN = 200
"""Characters of an argument shown to an approver."""


class Observation:
    """Cheap to make: everything that costs is worked out when asked for, once. Valid until the context changes."""

    __slots__ = (
        "_assessed",
        "_origins",
        "_semantic",
        "_thresholds",
        "_untrusted",
        "action",
        "confidentiality",
        "context",
        "opening",
        "schema",
    )

    def __init__(
        self,
        context: SessionContext,
        action: NormalizedAction,
        schema: ToolSchema | None,
        opening: SessionOpening | None = None,
        thresholds: DriftThresholds = STANDARD,
        semantic: float | None = None,
    ) -> None:
        """`semantic`: how far a model finds the action from the request; None: by its words."""
        self._thresholds, self._semantic = thresholds, semantic
        self.context, self.action, self.schema, self.opening = context, action, schema, opening
        self.confidentiality: Confidentiality = context.held_confidentiality
        self._assessed: tuple[IntentSignal, float, float] | None = None
        self._origins: dict[str, ArgumentOrigin] = {}
        self._untrusted: tuple[ArgumentOrigin, ...] | None = None

    @property
    def intent(self) -> IntentSignal:
        """The session's signal with this action counted in."""
        return self._assess()[0]

    @property
    def drift(self) -> float:
        """The session's drift with this action counted in, 0 to 1."""
        return self._assess()[1]

    @property
    def step(self) -> float:
        """How far this action is from the request, 0 to 1; 0 without a request."""
        return self._assess()[2]

    @property
    def writes_outward(self) -> bool:
        """Would this action hand something to a sink while the session holds confidential data?"""
        schema = self.schema
        if schema is None or self.confidentiality < Confidentiality.CONFIDENTIAL:
            return False
        return schema.sink is not None and schema.access is not Access.READ

    def _assess(self) -> tuple[IntentSignal, float, float]:
        if self._assessed is None:
            scope, drift = self.context.scope, self.context.drift
            if scope is None:
                self._assessed = IntentSignal.UNKNOWN, drift, 0.0
            else:
                step = self._distance(scope)
                drift = cumulative(drift, step)
                pressure, farthest = self.context.pressure(self.writes_outward), max(self.context.farthest, step)
                self._assessed = signal(drift, farthest, pressure, self._thresholds), drift, step
        return self._assessed

    def _distance(self, scope: Scope) -> float:
        if self._semantic is not None:
            return bounded(self._semantic, self.schema)
        return distance(scope, self.action.tool_name, self.action.tool_args, self.schema)

    def origin_of(self, path: str) -> ArgumentOrigin:
        """Where the argument at a dotted path came from; of several values the least trusted.

        An argument that is absent has nothing to trace: REQUEST, with an empty value.
        """
        known = self._origins.get(path)
        if known is None:
            known = self._origins[path] = self._trace(path, values_at(self.action.tool_args, path))
        return known

    def referred(self, path: str) -> ArgumentOrigin:
        """As `origin_of`, where what stood alone in a field of untrusted output counts as from a trusted source."""
        return self._trace(path, values_at(self.action.tool_args, path), fields=True)

    def mark(self, path: str) -> str:
        """Stands for the values at a path, in this session only: 16 hex digits."""
        values = canonical(values_at(self.action.tool_args, path))
        return self.context.hasher(values.decode()).hex()

    @property
    def unrequested(self) -> bool:
        """There is a request, and it does not ask for what this tool does."""
        wanted = self.schema.requested_by if self.schema else None
        if wanted is None or asks_for(self.context.features, wanted):
            return False
        return not (wanted.freely and (self._undisturbed or self._named()))

    @property
    def _undisturbed(self) -> bool:
        """The request gives an order, and nobody else has: there is no other whose wish this call could be."""
        context = self.context
        index = context.provenance
        heard = index.told or index.told_dropped or context.unreported or not context.assumed.trusted
        return not heard and ORDER in context.features and not any(map(self._hearsay, self.action.tool_args))

    def _hearsay(self, name: str) -> bool:
        """Is an argument one word or number that only untrusted texts mention, and in no field?"""
        value = self.action.tool_args[name]
        if _says_nothing(value) or (isinstance(value, str) and " " in value):
            return False
        return self.referred(name).origin is Origin.UNTRUSTED

    def _named(self) -> bool:
        """The request names most of the arguments, and none holds what only untrusted texts mention."""
        given = [
            name for name, value in self.action.tool_args.items() if not _says_nothing(value) and len(str(value)) > 1
        ]
        origins = [self.referred(name).origin for name in given]
        return Origin.UNTRUSTED not in origins and 2 * origins.count(Origin.REQUEST) > len(origins)

    @property
    def told(self) -> ToldValue | None:
        """What untrusted output told its reader to do with this call's values."""
        return None if self.schema is None else self.context.told(self.action.tool_args, self.schema)

    @property
    def untrusted_arguments(self) -> tuple[ArgumentOrigin, ...]:
        """Top-level arguments that hold a value known only from untrusted output."""
        if self._untrusted is None:
            every = (self._trace(name, [value]) for name, value in self.action.tool_args.items())
            self._untrusted = tuple(one for one in every if one.origin is Origin.UNTRUSTED)
        return self._untrusted

    def _trace(self, path: str, values: list[Any], *, fields: bool = False) -> ArgumentOrigin:
        found = worst(self.context.origin(value, fields=fields) for value in values)
        if found is None:
            return ArgumentOrigin(path, "", Origin.REQUEST)
        return ArgumentOrigin(path, found.text[:MAX_SHOWN], found.origin, found.source)


def _says_nothing(value: Any) -> bool:
    return value is None or isinstance(value, bool) or value in ("", [], {})

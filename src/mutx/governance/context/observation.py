"""What the policy may know of a session when it decides one action. Read-only; made anew for every decision."""

from itertools import islice
from typing import Any

from mutx.governance.arguments_path import values_at
from mutx.governance.context.delta import SessionOpening
from mutx.governance.context.leaves import read_leaves
from mutx.governance.context.session import SessionContext
from mutx.governance.context.told import LEADS_OUT, MAX_TOKENS, ToldValue, heard, names_one
from mutx.governance.intent import STANDARD, DriftThresholds, Scope, bounded, cumulative, distance, signal
from mutx.governance.provenance import worst
from mutx.governance.provenance_text import fold, tokens
from mutx.governance.requested import ORDER, STATEMENT, RequestWords, asks_for, mentions
from mutx.governance.requested_numbers import says_number
from mutx.governance.tools import Access, ToolSchema
from mutx.governance.types import ArgumentOrigin, Confidentiality, IntentSignal, NormalizedAction, Origin
from mutx.kit.canonical import canonical

SMALL = 3
"""Characters up to which a number counts and names nothing in particular."""
LONGEST_NAME = 5
"""Words of a name."""
TOWNS = frozenset(("city", "town", "state", "country", "region", "county"))
"""Arguments whose names are nobody's."""
SAID = frozenset(("body", "text", "message", "content"))
"""Arguments that hold what is said to somebody: a date that stands alone there is told, and decides nothing."""
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

    def invents(self, path: str) -> bool:
        """Is there a particular thing at the path that nobody mentioned, while a stranger may have spelled it out?"""
        if not self.context.holds_untrusted:
            return False
        every = read_leaves(values_at(self.action.tool_args, path))[0]
        return any(names_one(path, one) and self.context.origin(one).origin is Origin.NOWHERE for one in every)

    def mark(self, path: str) -> str:
        """Stands for the values at a path, in this session only: 16 hex digits."""
        values = canonical(values_at(self.action.tool_args, path))
        return self.context.hasher(values.decode()).hex()

    @property
    def unrequested(self) -> bool:
        """There is a request, and it does not ask for what this tool does."""
        wanted = self.schema.requested_by if self.schema else None
        request = self.context.features
        if wanted is None:
            return False
        if asks_for(request, wanted) and (self._calm or self._asked_by_name(wanted)):
            return False
        if not (wanted.freely or wanted.closely):
            return True
        named, given = self._named()
        if wanted.freely and 2 * named > given:
            return False
        if not self._undisturbed:
            return True
        if wanted.freely:
            return not (ORDER in request or (STATEMENT in request and named))
        mentioned = ORDER in request and (named or mentions(request, wanted.objects))
        return not (mentioned or (STATEMENT in request and named == given > 0))

    @property
    def _calm(self) -> bool:
        """No untrusted text told anybody to do anything, or named anything: the usual case, told at once."""
        index = self.context.provenance
        return not (index.told or index.spoken or index.told_dropped or index.spoken_dropped)

    @property
    def _heard_nothing(self) -> bool:
        """Nothing untrusted was read, nor may have been."""
        index, context = self.context.provenance, self.context
        return not (index.tables[Origin.UNTRUSTED] or index.dropped or context.unreported or context.holds_untrusted)

    def _asked_by_name(self, wanted: RequestWords) -> bool:
        """Does more than some order ask for it, or did nobody else speak of what the call is about?"""
        return asks_for(self.context.features - {ORDER}, wanted) or not (self._overheard or self._mentioned)

    @property
    def _undisturbed(self) -> bool:
        """Nobody but the user gave an order that this call could follow: it is no other's wish."""
        context = self.context
        if self._mentioned or context.unreported or not context.assumed.trusted:
            return False
        args = self.action.tool_args
        return not any(self._hearsay(*one) for one in args.items()) and not self._overheard

    @property
    def _mentioned(self) -> bool:
        """Does somebody's sentence name what this call is about, and the request does not?"""
        index, hasher = self.context.provenance, self.context.hasher
        if index.spoken_dropped or not index.spoken:
            return index.spoken_dropped
        every = (text for text in read_leaves(self.action.tool_args)[0] if text and " " not in text)
        keys = (hasher(fold(text)) for text in every)
        return any(key in index.spoken and key not in index.tables[Origin.REQUEST] for key in keys)

    @property
    def _overheard(self) -> bool:
        """Did an untrusted text give an order that could be for this call?"""
        index = self.context.provenance
        return index.told_dropped or bool(index.told and self._heard())

    def _heard(self) -> bool:
        """Has an untrusted text's order a word for what this tool does, or for what this call says?"""
        return self.schema is not None and heard(
            self.action.tool_args, self.schema, self.context.provenance.told, self.context.hasher, self.context.features
        )

    @property
    def hearsay(self) -> list[ArgumentOrigin]:
        """Arguments with a number, date or code that untrusted texts mention, and nobody else, nor any field."""
        if self._heard_nothing:
            return []
        every = (self._hearsay(name, value) for name, value in self.action.tool_args.items() if name not in SAID)
        found = [one for one in every if one is not None and len(one.value) > SMALL and _is_particular(one.value)]
        if self.schema is not None and self.schema.sink is not None:
            found += filter(None, (self._overheard_address(*one) for one in self.action.tool_args.items()))
        return found

    def _overheard_address(self, name: str, value: Any) -> ArgumentOrigin | None:
        """Of what is said to somebody, the first address or link that only untrusted texts mention."""
        for text in read_leaves(value)[0]:
            if " " not in text or LEADS_OUT.search(text.casefold()) is None:
                continue
            for one in islice(tokens(text), MAX_TOKENS):
                if one.strong and LEADS_OUT.search(one.text):
                    found = self.context.origin(one.text, fields=True)
                    if found.origin is Origin.UNTRUSTED:
                        return ArgumentOrigin(name, one.text[:MAX_SHOWN], found.origin, found.source)
        return None

    def _hearsay(self, name: str, value: Any) -> ArgumentOrigin | None:
        """Of an argument, the first word, number or name by itself that only untrusted texts mention."""
        for text in read_leaves(value)[0]:
            if text and (" " not in text or (name not in TOWNS and self._is_strange_name(text))):
                found = self.context.origin(text, fields=True)
                if found.origin is Origin.UNTRUSTED and not says_number(self.context.original_request or "", text):
                    return ArgumentOrigin(name, text[:MAX_SHOWN], found.origin, found.source)
        return None

    def _is_strange_name(self, text: str) -> bool:
        """Is it the name of somebody or something, and no word of it the user's own?"""
        parts = text.split(maxsplit=LONGEST_NAME)
        if len(parts) > LONGEST_NAME or not all(part[:1].isupper() for part in parts):
            return False
        return all(self.context.origin(part).origin is Origin.UNTRUSTED for part in parts)

    def _named(self) -> tuple[int, int]:
        """How many arguments the request names, and how many there are; none if one is what only untrusted texts mention."""
        given = [
            name for name, value in self.action.tool_args.items() if not _says_nothing(value) and len(str(value)) > 1
        ]
        origins = [self.referred(name).origin for name in given]
        return 0 if Origin.UNTRUSTED in origins else origins.count(Origin.REQUEST), len(given)

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


def _is_particular(value: str) -> bool:
    return any(char.isdigit() or char in "@/\\ " for char in value)


def _says_nothing(value: Any) -> bool:
    return value is None or isinstance(value, bool) or value in ("", [], {})

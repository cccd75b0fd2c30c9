"""Session state from turn to turn: what a turn changes is computed first, stored with the turn, then applied."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import islice

import msgspec
from msgspec.structs import replace

from mutx.governance.arguments_path import values_at
from mutx.governance.context.apply import apply, open_session
from mutx.governance.context.delta import ContextDelta, SessionOpening
from mutx.governance.context.fields import Lines, fields_of, layout, spoken_of
from mutx.governance.context.leaves import read_leaves
from mutx.governance.context.observation import Observation
from mutx.governance.context.session import ActionRecord, DataAccess, SessionContext
from mutx.governance.context.unfold import unfolded
from mutx.governance.instructions import orders, said
from mutx.governance.intent import STANDARD, DriftThresholds
from mutx.governance.labels import INJECTION, Classifier, Suspect, declared, label_of
from mutx.governance.provenance import MAX_MENTIONS, MAX_VALUES, Hasher, ProvenanceIndex, Sighting
from mutx.governance.tools import ToolSchema
from mutx.governance.turn import Outcome, OutcomeStatus
from mutx.governance.types import (
    Confidentiality,
    Decision,
    Label,
    MeasuredDistance,
    NormalizedAction,
    Origin,
    SessionNote,
    ToolCall,
)

MAX_REQUEST = 64 * 1024
"""Characters of request and stated intent that are kept."""
MAX_RESOURCE = 256
MIN_ORDER = 3
"""Spaces within a text of a trusted output from which on it may give an order: `Mark Smith` is a name."""


class ContextAccumulator:
    """Values in, values out. `apply` is the only thing that changes a context.

    `classifiers` label results beside what tools declare; see `labels.label_of`. `suspects` say of a result's texts that an
    attack stands in them: then nobody trusts the result, whatever its tool declares.
    """

    def __init__(
        self, classifiers: Sequence[Classifier] = (), suspects: Sequence[Suspect] = (), *, search_all: bool = False
    ) -> None:
        """`search_all`: ask the suspects about untrusted results too, for the signal alone."""
        self._search_all = search_all
        self._classifiers = tuple(classifiers)
        self._suspects = tuple(suspects)
        self._decode_delta = msgspec.msgpack.Decoder(ContextDelta).decode
        self._decode_context = msgspec.msgpack.Decoder(SessionContext).decode

    def new(
        self,
        *,
        workspace_id: str,
        session_id: str,
        agent_id: str,
        user_id: str,
        now: float,
        original_request: str | None = None,
        stated_intent: str | None = None,
    ) -> SessionContext:
        """A session without turns. Its first decision replaces agent, user, times, and a request not given here."""
        context = SessionContext(
            workspace_id=workspace_id,
            session_id=session_id,
            agent_id=agent_id,
            user_id=user_id,
            created_at=now,
            updated_at=now,
        )
        if original_request or stated_intent:
            opening = _opening(context.hasher, agent_id, user_id, original_request, stated_intent)
            # Not a turn: the hash stays, and the first turn's delta carries the request for whoever replays it.
            open_session(context, opening, now)
        return context

    def opening(self, context: SessionContext, action: NormalizedAction, call: ToolCall) -> SessionOpening | None:
        """What `call` opens the session with; None if it is not the first.

        A request that the session was opened with stands; without one, the first call may bring it.
        """
        if context.counters.tool_call_count:
            return None
        request, intent = call.original_request, call.stated_intent
        if context.scope is not None:
            request, intent = context.original_request, context.stated_intent
        return _opening(context.hasher, action.agent_id, action.user_id, request, intent)

    def observe(
        self,
        context: SessionContext,
        action: NormalizedAction,
        schema: ToolSchema | None,
        opening: SessionOpening | None = None,
        thresholds: DriftThresholds = STANDARD,
        measured: MeasuredDistance | None = None,
    ) -> Observation:
        """What is known as `action` is about to be decided. Constant time; changes nothing.

        With an `opening` the first action is decided on the request it brought; a replay finds it in the turn's delta.
        """
        if opening is not None:
            context = _opened(context, opening)
        semantic = None if measured is None else measured.distance
        return Observation(context, action, schema, opening, thresholds, semantic)

    def decided(
        self,
        context: SessionContext,
        action: NormalizedAction,
        observation: Observation,
        decision: Decision,
        now: float,
    ) -> ContextDelta:
        """A decision was made. The first one opens the session with the request that `observation` was made with."""
        effect = decision.effect
        return ContextDelta(
            at=now,
            action_id=action.id,
            opening=observation.opening,
            record=ActionRecord(
                id=action.id,
                tool_name=action.tool_name,
                operation=action.operation,
                action_hash=action.action_hash,
                timestamp=action.timestamp,
                effect=effect,
                reason_code=decision.reason_code,
            ),
            effect=effect,
            depth=dependency_depth(context, action) if effect.waits else None,
            output=declared(observation.schema) if effect.runs or effect.waits else None,
            intent=observation.intent,
            drift=observation.drift,
            step=observation.step,
        )

    def resolved(
        self, context: SessionContext, action: NormalizedAction, decision: Decision, now: float
    ) -> ContextDelta:
        """A waiting action was released, refused, or waits for another question."""
        return ContextDelta(at=now, action_id=action.id, tool_name=action.tool_name, effect=decision.effect)

    def concluded(
        self,
        context: SessionContext,
        action: NormalizedAction,
        outcome: Outcome,
        schema: ToolSchema | None,
        now: float,
    ) -> ContextDelta:
        """An allowed action has run, or failed. An error's text is output like any other.

        No result given counts as output that was never shown: the agent may hold it all the same.
        """
        output = outcome.error if outcome.result is None else outcome.result
        if schema is not None and (schema.lines or schema.records):
            output = unfolded(output)
        texts, complete = read_leaves(output)
        label = label_of(output, texts, complete=complete, schema=schema, classifiers=self._classifiers)
        signals: tuple[str, ...] = ()
        if (label.trusted or self._search_all) and any(suspect(texts) for suspect in self._suspects):
            label, signals = Label(label.confidentiality, trusted=False), (INJECTION,)
        sightings: tuple[Sighting, ...] = ()
        if output is not None:
            lines = layout(output, schema)
            sightings = tuple(
                self._sight(context, action, part, held, complete=whole, lines=lines)
                for part, held, whole in _by_trust(texts, label, complete=complete)
            )
        return ContextDelta(
            at=now,
            action_id=action.id,
            status=outcome.status,
            label=label,
            lowered=schema.declassifies if schema is not None and outcome.status is OutcomeStatus.EXECUTED else None,
            unreported=output is None and not label.trusted,
            sightings=sightings,
            access=_access(action, outcome, schema, label, now),
            signals=signals,
        )

    def noted(self, action: NormalizedAction, note: SessionNote, now: float) -> ContextDelta:
        """A guardrail found something in a text of the session."""
        return ContextDelta(at=now, action_id=action.id, signals=note.signals, holds=note.holds)

    def _sight(
        self,
        context: SessionContext,
        action: NormalizedAction,
        texts: list[str],
        label: Label,
        *,
        complete: bool,
        lines: Lines,
    ) -> Sighting:
        """What the output mentions. A trusted tool that repeats what it was asked vouches for nothing thereby.

        Where the arguments are too much to tell what is repeated, it vouches for nothing at all.
        """
        hasher, source = context.hasher, f"{action.tool_name}#{action.id}"
        asked, all_leaves = read_leaves(action.tool_args)
        echo, all_mentions = hasher.keys(asked)
        if not label.trusted:
            seen = hasher.sight(texts, Origin.UNTRUSTED, source, complete=complete, without=frozenset())
            spoken = list(islice(said(texts), MAX_VALUES + 1))
            told, told_all = hasher.keys(one.told for one in spoken)
            heard = hasher.stems(one.whole for one in spoken)
            named = list(islice(spoken_of(texts, lines=lines), MAX_MENTIONS + 1))
            things = dict.fromkeys(map(hasher, named))
            fits = len(spoken) + len(heard) <= MAX_VALUES and len(things) <= MAX_VALUES and len(named) <= MAX_MENTIONS
            return replace(
                seen,
                complete=seen.complete and told_all and fits,
                fields=b"".join(key for key in hasher.wholes(fields_of(texts, lines=lines)) if key not in echo),
                told=b"".join((*told, *heard)),
                spoken=b"".join(islice(things, MAX_VALUES)),
            )
        if not (all_leaves and all_mentions):
            return Sighting(origin=Origin.TRUSTED, source=source, complete=False)
        return hasher.sight(texts, Origin.TRUSTED, source, complete=complete, without=frozenset(echo))

    def apply(self, context: SessionContext, delta: ContextDelta) -> None:
        """Bring the context up to date and its hash forward."""
        apply(context, delta)
        context.hash = sha256(bytes.fromhex(context.hash) + delta.encoded).hexdigest()

    def encode_delta(self, delta: ContextDelta) -> bytes:
        return delta.encoded

    def decode_delta(self, data: bytes) -> ContextDelta:
        """Keeps the bytes it came from: they are what the hash chain covers."""
        delta = self._decode_delta(data)
        delta.__dict__["encoded"] = data
        return delta

    def encode(self, context: SessionContext) -> bytes:
        """A snapshot; its size is bounded whatever the session's length."""
        return msgspec.msgpack.encode(context)

    def decode(self, data: bytes) -> SessionContext:
        return self._decode_context(data)


def dependency_depth(context: SessionContext, action: NormalizedAction) -> int:
    """How many waiting actions stand in line before this one; 0: it depends on none that waits."""
    waiting = context.waiting
    if not waiting:
        return 0
    depths = [waiting[other] for other in (*action.depends_on, action.parent_action_id) if other in waiting]
    return 1 + max(depths) if depths else 0


def _opened(context: SessionContext, opening: SessionOpening) -> SessionContext:
    """A copy as `open_session` would leave the context, with nothing derived yet."""
    provenance = context.provenance
    if opening.mentioned is not None:
        provenance = ProvenanceIndex()
        provenance.add(opening.mentioned)
    return replace(
        context,
        agent_id=opening.agent_id,
        user_id=opening.user_id,
        original_request=opening.original_request,
        stated_intent=opening.stated_intent,
        provenance=provenance,
    )


def _opening(hasher: Hasher, agent_id: str, user_id: str, request: str | None, intent: str | None) -> SessionOpening:
    complete = request is None or len(request) <= MAX_REQUEST
    request = _text(request)
    mentioned = None
    if request:
        mentioned = hasher.sight([request], Origin.REQUEST, None, complete=complete, without=frozenset())
    return SessionOpening(
        agent_id=agent_id,
        user_id=user_id,
        original_request=request,
        stated_intent=_text(intent),
        mentioned=mentioned,
    )


def _text(given: str | None) -> str | None:
    """What is kept of it: bounded, and without the lone surrogates that no encoding holds."""
    return given[:MAX_REQUEST].encode("utf-8", "replace").decode() or None if given else None


def _by_trust(texts: list[str], label: Label, *, complete: bool) -> Iterator[tuple[list[str], Label, bool]]:
    """Texts, what they count as, and whether that is all of them.

    Of trusted output a text that gives orders is nobody's word: a directory's remarks are written by anyone.
    """
    own, ordering = texts, list[str]()
    if label.trusted:
        own = []
        for text in texts:
            (ordering if text.count(" ") >= MIN_ORDER and any(orders((text,))) else own).append(text)
    yield own, label, complete
    if ordering:
        yield ordering, Label(label.confidentiality, trusted=False), True


def _access(
    action: NormalizedAction, outcome: Outcome, schema: ToolSchema | None, label: Label, now: float
) -> DataAccess | None:
    if schema is None or schema.access is None or outcome.status is not OutcomeStatus.EXECUTED:
        return None
    named = values_at(action.tool_args, schema.resource) if schema.resource else []
    return DataAccess(
        resource_type=schema.category,
        resource_id=str(named[0])[:MAX_RESOURCE] if named else action.tool_name,
        access_time=now,
        access_type=schema.access,
        sensitive=label.confidentiality >= Confidentiality.CONFIDENTIAL,
    )

"""A guardrail found something in a text of a session: a turn like any other, so it is durable, receipted and replayed.

The turn's action is the check itself, `guardrail/<direction>`; its decision says whether the text may go on. Nothing waits
for it and nothing is permitted by it. It charges no limit and counts as no call.
"""

from msgspec import Struct

from mutx.governance.contention import AT_ONCE, ATTEMPTS, pause
from mutx.governance.gather import Gatherer
from mutx.governance.judge import judge
from mutx.governance.mediator import ActionMediator
from mutx.governance.own_agent import require_own_agent
from mutx.governance.ports import SessionState
from mutx.governance.recorder import Draft, Recorder
from mutx.governance.turn import Turn, TurnKind
from mutx.governance.types import Caller, Facts, SessionNote, ToolCall
from mutx.kit.errors import Conflict, HeadMoved, LedgerUnavailable
from mutx.kit.ids import new_id

CHECK_TOOL = "guardrail/"
MAX_SIGNALS = 32
"""Names in one note."""


class Noted(Struct, frozen=True):
    """Whose text was checked, and in which direction it went. `agent_id`: None for the session's own."""

    session_id: str
    agent_id: str | None
    direction: str
    profile: str


class SessionNotes:
    def __init__(self, gather: Gatherer, mediator: ActionMediator, recorder: Recorder) -> None:
        self._gather = gather
        self._mediator = mediator
        self._recorder = recorder

    async def add(self, about: Noted, note: SessionNote, caller: Caller) -> str:
        """The id of the receipt. Raises PermissionDenied, Conflict for a closed session, LedgerUnavailable."""
        require_own_agent(caller, about.agent_id)
        for tried in range(ATTEMPTS):
            if tried >= AT_ONCE:
                await pause(tried)
            engine = await self._gather.engine(caller.workspace_id)
            state = await self._gather.session(caller.workspace_id, about.session_id)
            if state.closed_at is not None:
                raise Conflict("the session is closed; nothing more is found in it")
            now = self._gather.now(state)
            call = _call(about, note, caller, state)
            action = self._mediator.normalize(call, caller, tools=engine.tool, id=new_id(), now=now)
            facts = _facts(state, caller, note, now)
            draft = Draft(
                kind=TurnKind.DECISION,
                action=action,
                caller=caller,
                facts=facts,
                decision=judge(engine, self._gather.observe(state, action, engine), facts, lambda _: 0),
                delta=self._gather.accumulator.noted(action, note, now),
            )
            try:
                turn: Turn = await self._recorder.record(state, draft)
            except HeadMoved:
                continue
            return turn.receipt.id
        raise LedgerUnavailable("this session is too busy; what was found is not on record, try again")


def _call(about: Noted, note: SessionNote, caller: Caller, state: SessionState) -> ToolCall:
    agent = about.agent_id or caller.agent_id or state.context.agent_id or caller.principal_id
    return ToolCall(
        tool_name=f"{CHECK_TOOL}{about.direction}",
        operation="check",
        agent_id=agent,
        session_id=about.session_id,
        tool_args={"profile": about.profile, "signals": list(note.signals)},
        trigger="guardrail",
    )


def _facts(state: SessionState, caller: Caller, note: SessionNote, now: float) -> Facts:
    return Facts(
        context_hash=state.context.hash,
        now=now,
        roles=caller.roles,
        scopes=caller.scopes,
        principal_kind=caller.kind,
        noted=note,
    )

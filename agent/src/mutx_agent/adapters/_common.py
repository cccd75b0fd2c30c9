"""What the adapters share: one gate that every tool call of a framework passes.

An adapter says what it knows of a call (`ToolUse`), how to run it, and how its framework tells a model that a tool
failed. The gate asks, waits, reports, and fails closed. The call that one hook has decided carries a claim, so that a
lower hook of ours that meets the very same call lets it through once; any other call is decided by itself.
"""

import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, contextmanager
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from mutx_agent import govern
from mutx_agent.action import GovernedAction
from mutx_agent.errors import ActionDenied
from mutx_agent.governor import Governor
from mutx_agent.scope import CURRENT
from mutx_agent.transport.base import Json
from mutx_agent.values import same, to_json

T = TypeVar("T")
Note = Callable[[GovernedAction, Any], None]
"""Reads a framework's answer into the action's `result` or `error`."""
REQUEST_LIMIT = 8000
"""Characters of the user's message that are sent as the session's original request."""


class ToolUse(NamedTuple):
    """One tool call as a framework makes it."""

    name: str
    args: Any
    """By name, without what the framework itself adds; the gate makes JSON of them."""
    fields: Mapping[str, Any] = MappingProxyType({})
    """Other fields of the action by their wire names."""
    session_id: str | None = None
    """The framework's own conversation, used where no session is set."""
    original_request: str | None = None
    tool: Any = None
    """The framework's own object, where several hooks meet one call with its arguments in different forms."""


class Claim:
    """Says that this call has been decided. Each further hook that the call meets lets it pass, once."""

    def __init__(self, action: GovernedAction, tool: Any, decided_at: object) -> None:
        self._action, self._tool = action, tool
        self._passed: dict[object, object] = {decided_at: None}

    @property
    def session_id(self) -> str:
        return self._action.session_id

    def spend(self, use: ToolUse, args: Json, hook: object) -> bool:
        if use.name != self._action.tool_name:
            return False
        if (use.tool is None or use.tool is not self._tool) and not same(args, self._action.args):
            return False
        mine = object()
        return self._passed.setdefault(hook, mine) is mine  # atomic: of two threads one has it


class Step(NamedTuple):
    """What is to do at one hook. Nothing where nobody governs, or a hook above has decided this very call."""

    action: GovernedAction | None = None
    claim: Claim | None = None


class Gate:
    """Where an adapter sends every tool call. `governor`: None means the process's own.

    It holds the governors of everybody who installed it; the last one decides. With none left, calls pass.
    """

    def __init__(self, runtime: str, governor: Governor | None = None, deadline: float | None = None) -> None:
        self._runtime, self._deadline = runtime, deadline
        self._governors = [governor]
        self._lock = threading.Lock()
        self.when_left: Callable[[], None] | None = None
        """Called when the last governor is taken away."""

    @property
    def open(self) -> bool:
        """Nobody governs here (any more)."""
        return not self._governors and CURRENT.get().governor is None

    def add(self, governor: Governor | None) -> None:
        with self._lock:
            self._governors.append(governor)

    def remove(self, governor: Governor | None) -> None:
        with self._lock:
            last = max((place for place, known in enumerate(self._governors) if known is governor), default=None)
            if last is not None:
                del self._governors[last]
            left = not self._governors
        if left and self.when_left is not None:
            self.when_left()

    def run(
        self,
        describe: Callable[[], ToolUse],
        execute: Callable[[Json | None], T],
        refuse: Callable[[ActionDenied], T],
        note: Note | None = None,
        hook: str = "",
    ) -> T:
        """`execute` gets the changed arguments, or None to run the call as it stands.

        `hook` names the place where an adapter stands, if one call may meet several places of it.
        """
        try:
            stack = ExitStack()
            with failing_closed():
                action, claim = self.step(describe, hook)
                if action is not None:
                    stack.enter_context(action)
                    stack.enter_context(claiming(claim))
            with stack:
                answer = execute(_changed(action))
                _note(action, answer, note)
        except ActionDenied as denial:
            return refuse(denial)
        return answer

    async def arun(
        self,
        describe: Callable[[], ToolUse],
        execute: Callable[[Json | None], Awaitable[T]],
        refuse: Callable[[ActionDenied], T],
        note: Note | None = None,
        hook: str = "",
    ) -> T:
        """The same without blocking the event loop."""
        try:
            stack = AsyncExitStack()
            with failing_closed():
                action, claim = self.step(describe, hook)
                if action is not None:
                    await stack.enter_async_context(action)
                    stack.enter_context(claiming(claim))
            async with stack:
                answer = await execute(_changed(action))
                _note(action, answer, note)
        except ActionDenied as denial:
            return refuse(denial)
        return answer

    def step(self, describe: Callable[[], ToolUse], hook: str = "") -> Step:
        """What `run` and `arun` do first; for adapters of tools that answer in parts."""
        if self.open:
            return Step()
        use, scope = describe(), CURRENT.get()
        args = to_json(use.args)
        if not isinstance(args, dict):
            args = {"input": args}
        if scope.claim is not None and scope.claim.spend(use, args, (self, hook)):
            return Step()
        request = use.original_request
        governor: Governor | None = scope.governor or self._governors[-1]
        action = (governor or govern).action(
            use.name,
            args,
            deadline=self._deadline,
            session_id=scope.session_id or use.session_id,
            original_request=scope.original_request or (request[:REQUEST_LIMIT] if request else None),
            **{"trigger": "llm", "runtime": self._runtime, **use.fields},
        )
        return Step(action, Claim(action, use.tool, (self, hook)))


@contextmanager
def claiming(claim: Claim | None) -> Iterator[None]:
    """Inside, the call of this claim counts as decided, and sub-agents stay in its session."""
    scope = CURRENT.get()
    token = CURRENT.set(scope._replace(claim=claim, session_id=claim.session_id if claim else scope.session_id))
    try:
        yield
    finally:
        CURRENT.reset(token)


def raised(denial: ActionDenied) -> Any:
    """How a denial is told where nothing but an exception can say it."""
    raise denial


def when_asked_for(module: str, **makers: Callable[[], Any]) -> Callable[[str], Any]:
    """A module's `__getattr__`: classes that derive from a framework's come into being when somebody asks for them."""

    def find(name: str) -> Any:
        if name not in makers:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        return makers[name]()

    return find


def _changed(action: GovernedAction | None) -> Json | None:
    return action.args if action is not None and action.permission.modified else None


def _note(action: GovernedAction | None, answer: Any, note: Note | None) -> None:
    if action is None:
        return
    if note is None:
        action.result = answer
    else:
        note(action, answer)


@contextmanager
def failing_closed() -> Iterator[None]:
    """Whatever breaks in a hook before the tool runs, the tool does not run and the framework hears why."""
    try:
        yield
    except ActionDenied:
        raise
    except Exception as error:
        raise ActionDenied(
            f"the hook that asks for a decision failed: {type(error).__name__}: {error}", reason_code="hook_failed"
        ) from error


@contextmanager
def deciding_with(governor: Governor) -> Iterator[None]:
    """Inside, and in threads that start inside, installed hooks ask this governor: for proofs."""
    token = CURRENT.set(CURRENT.get()._replace(governor=governor))
    try:
        yield
    finally:
        CURRENT.reset(token)

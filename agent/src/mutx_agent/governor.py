"""The governor: puts the control plane between a program and its tools."""

import threading
from collections.abc import Callable, Sequence
from contextvars import Token
from types import TracebackType
from typing import Any, NamedTuple, TypeVar, overload

from mutx_agent.action import GovernedAction
from mutx_agent.errors import ControlPlaneUnreachable
from mutx_agent.flow import Flow, adrive, drive, hand_off
from mutx_agent.ids import new_id
from mutx_agent.scope import CURRENT, Scope, carry
from mutx_agent.settings import AgentSettings, NotConfigured, load
from mutx_agent.transport.base import Json, Transport
from mutx_agent.transport.connect import connect
from mutx_agent.wrap import CallOptions, wrap

F = TypeVar("F", bound=Callable[..., Any])


class Connected(NamedTuple):
    settings: AgentSettings
    transport: Transport
    session_id: str
    """The session of calls that name none: one per process, unless configured."""


class Governor:
    """Governs callables. `mutx_agent.govern` is the process's own one; make others to speak to several control planes.

        @govern
        def wire(amount: int, to: str) -> str: ...

        @govern(tool="bank.wire", deadline=120)
        async def wire(amount: int, to: str) -> str: ...

        send = govern(mailer.send)

        with govern.session(request="pay the March invoices"):
            wire(120, "ACME")

    A call raises ActionDenied instead of running when the answer is no, when nobody answers in time, and when there
    is no answer. Settings are looked up with the first call: arguments of `configure`, environment, client file.
    """

    def __init__(self, transport: Transport | None = None, **settings: Any) -> None:
        self._lock = threading.Lock()
        self._given = settings
        self._transport = transport
        self._connected: Connected | None = None

    def __repr__(self) -> str:
        return f"Governor({self._connected.settings if self._connected else 'not connected'})"

    def configure(self, transport: Transport | None = None, **settings: Any) -> None:
        """Settings of `AgentSettings` by name, over environment and file. Replaces earlier ones and reconnects."""
        unknown = settings.keys() - set(AgentSettings._fields)
        if unknown:
            raise TypeError(f"unknown settings: {', '.join(sorted(unknown))}")
        self.close()
        with self._lock:
            self._given, self._transport = settings, transport

    def close(self) -> None:
        """Give connections back; the next call opens new ones."""
        with self._lock:
            connected, self._connected = self._connected, None
        if connected is not None:
            connected.transport.close()

    @overload
    def __call__(self, function: F, /) -> F: ...
    @overload
    def __call__(
        self,
        *,
        tool: str | None = None,
        operation: str | None = None,
        session: str | None = None,
        agent: str | None = None,
        user: str | None = None,
        service: str | None = None,
        trigger: str | None = None,
        stated_intent: str | None = None,
        deadline: float | None = None,
    ) -> Callable[[F], F]: ...
    def __call__(self, function: Any = None, **options: Any) -> Any:
        """Govern a callable: as `@govern`, `@govern(...)` or `govern(callable)`.

        `tool` names it in policies (its own name by default); `deadline` is how many seconds to wait for people
        (as long as the request is open by default). Raises TypeError for an option that is not one of the above.
        """
        unknown = options.keys() - set(CallOptions._fields)
        if unknown:
            known = ", ".join(CallOptions._fields)
            raise TypeError(f"govern takes no {', '.join(sorted(unknown))}; it takes {known}")
        chosen = CallOptions(**options)
        if function is None:
            return lambda target: wrap(self, target, chosen)
        return wrap(self, function, chosen)

    def action(
        self, tool: str, args: Json, *, deadline: float | None = None, action_id: str | None = None, **fields: Any
    ) -> GovernedAction:
        """One action to be used with `with` or `async with`, for code that is no function and for adapters.

        `args` is JSON; `fields` are other fields of the call by their wire names (`operation`, `service`, ...).
        """
        scope = CURRENT.get()
        connected = self._connect(tool)
        call = {
            "tool_name": tool,
            "tool_args": args,
            "action_id": action_id or new_id(),
            "agent_id": scope.agent_id or connected.settings.agent_id or "unnamed-agent",
            "session_id": scope.session_id or connected.session_id,
            "user_id": scope.user_id,
            "parent_action_id": scope.parent_action_id,
            "original_request": scope.original_request,
            "stated_intent": scope.stated_intent,
            "delegation": scope.delegation,
        }
        call |= {name: value for name, value in fields.items() if value is not None}
        sent = {name: value for name, value in call.items() if value is not None}
        return GovernedAction(connected.transport, sent, deadline, connected.settings.on_unrecorded)

    def session(
        self,
        request: str | None = None,
        *,
        session_id: str | None = None,
        agent: str | None = None,
        user: str | None = None,
        intent: str | None = None,
        delegation: str | None = None,
    ) -> "GovernedSession":
        """`with govern.session(request="what the user asked for"):` gives the calls inside one session of their own.

        A session inside a session (a sub-agent) stays in the outer one, with its own agent and intent, so that what
        was read before still counts; a `session_id` of its own separates it. `delegation`: the token that `delegate`
        gave for the sub-agent; its calls then reach no further than that.
        """
        outer = CURRENT.get()
        return GovernedSession(
            outer._replace(
                session_id=session_id or outer.session_id or new_id(),
                agent_id=agent or outer.agent_id,
                user_id=user or outer.user_id,
                original_request=request or outer.original_request,
                stated_intent=intent or outer.stated_intent,
                delegation=delegation or outer.delegation,
            )
        )

    def delegate(
        self,
        to: str,
        tools: Sequence[str | Json],
        *,
        seconds: float = 3600,
        depth: int = 0,
        calls: int | None = None,
        budget: Json | None = None,
        deadline: float | None = None,
    ) -> str:
        """Hand a part of what the present agent may do to the agent `to`. Returns the token for `session(delegation=...)`.

        `tools`: names or globs, or `{"tool": "pay", "ceilings": {"amount": 50}}`; `depth`: how often it may be handed on;
        `budget`: `{"argument": "amount", "max": 100}`. The hand-off is decided like a call of `delegate/<to>`, and waits
        for people like one, at most `deadline` seconds. Raises ActionDenied, ApprovalTimeout.
        """
        bounds = {"seconds": seconds, "depth": depth, "calls": calls, "budget": budget}
        flow, transport = self._handing(to, tools, bounds, deadline)
        token: str = drive(flow, transport)["token"]
        return token

    async def adelegate(
        self, to: str, tools: Sequence[str | Json], *, deadline: float | None = None, **bounds: Any
    ) -> str:
        """As `delegate`, without blocking the event loop."""
        flow, transport = self._handing(to, tools, {"seconds": 3600, **bounds}, deadline)
        token: str = (await adrive(flow, transport))["token"]
        return token

    def _handing(
        self, to: str, tools: Sequence[str | Json], bounds: Json, deadline: float | None
    ) -> tuple[Flow[Json], Transport]:
        scope = CURRENT.get()
        connected = self._connect(f"delegate/{to}")
        body = {
            "delegator": scope.agent_id or connected.settings.agent_id or "unnamed-agent",
            "delegate": to,
            "tools": [{"tool": each} if isinstance(each, str) else each for each in tools],
            **bounds,
            "delegation": scope.delegation,
            "session_id": scope.session_id or connected.session_id,
            "action_id": new_id(),
        }
        sent = {name: value for name, value in body.items() if value is not None}
        return hand_off(sent, deadline), connected.transport

    def thread(self, function: F) -> F:
        """`function`, bound to the present session, for an executor that threads.carry_into_threads cannot reach."""
        return carry(function)  # type: ignore[return-value]

    def _connect(self, tool: str) -> Connected:
        with self._lock:
            if self._connected is None:
                try:
                    if self._transport is not None:
                        settings = AgentSettings(**self._given)
                        transport = self._transport
                    else:
                        settings = load(**self._given)
                        transport = connect(settings)
                except (NotConfigured, ValueError) as error:
                    raise ControlPlaneUnreachable(str(error), reason_code="not_configured", tool_name=tool) from error
                _reach_threads()
                self._connected = Connected(settings, transport, settings.session_id or new_id())
            return self._connected


def _reach_threads() -> None:
    """From the first governed call or session on, threads inherit session and parent action."""
    from mutx_agent.threads import carry_into_threads

    carry_into_threads()


class GovernedSession:
    """The session of every governed call inside the `with` block, threads started there included."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._token: Token[Scope] | None = None

    @property
    def session_id(self) -> str:
        return self._scope.session_id or ""

    def __enter__(self) -> "GovernedSession":
        _reach_threads()
        self._token = CURRENT.set(self._scope)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            CURRENT.reset(self._token)
            self._token = None

    async def __aenter__(self) -> "GovernedSession":
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

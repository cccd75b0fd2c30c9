"""The protocol of one governed action, without I/O: what is asked, in which order, and what each answer means.

A flow is a generator. It yields an `Ask` or a `Pause`, is sent the answer (or thrown the `DoorError`), and returns
its result; `drive` and `adrive` are the only code that differs between blocking and asynchronous callers.
"""

import time
from collections.abc import Generator
from typing import Any, NamedTuple, TypeVar

from mutx_agent.errors import (
    ActionDenied,
    ApprovalTimeout,
    ControlPlaneUnreachable,
    DoorError,
    DoorRefused,
    DoorUnreachable,
)
from mutx_agent.transport.base import WAIT_SECONDS, Json, Transport

T = TypeVar("T")

RETRY_PAUSES = (0.1, 0.4)
"""Seconds before a question is put again after a lost answer."""
WAIT_PAUSES = (0.2, 0.5, 1.0, 2.0)
"""Seconds between attempts to hear of an approval while the control plane is away; the last one repeats."""
EXPIRY_GRACE = 10.0
"""Seconds past a request's expiry until its refusal should have been heard."""


class Ask(NamedTuple):
    verb: str
    body: Json


class Pause(NamedTuple):
    seconds: float


Flow = Generator[Ask | Pause, Json, T]


class Permission(NamedTuple):
    """Leave to run one tool call once, with exactly these arguments."""

    action_id: str
    args: Json
    modified: bool
    receipt_id: str


def drive(flow: Flow[T], transport: Transport) -> T:
    """Run a flow on this thread."""
    try:
        step = next(flow)
        while True:
            answer = _perform(step, transport)
            step = flow.throw(answer) if isinstance(answer, DoorError) else flow.send(answer)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


def _perform(step: Ask | Pause, transport: Transport) -> Json | DoorError:
    if isinstance(step, Pause):
        time.sleep(step.seconds)
        return {}
    try:
        return transport.call(step.verb, step.body)
    except DoorError as error:
        return error


async def adrive(flow: Flow[T], transport: Transport) -> T:
    """Run a flow without blocking the event loop."""
    try:
        step = next(flow)
        while True:
            answer = await _aperform(step, transport)
            step = flow.throw(answer) if isinstance(answer, DoorError) else flow.send(answer)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


async def _aperform(step: Ask | Pause, transport: Transport) -> Json | DoorError:
    if isinstance(step, Pause):
        await transport.pause(step.seconds)
        return {}
    try:
        return await transport.acall(step.verb, step.body)
    except DoorError as error:
        return error


def authorise(call: Json, deadline: float | None, *, spend: bool = False) -> Flow[Permission]:
    """Ask for a decision on `call`, wait for people if they are asked, and return only with leave to run.

    `deadline`: seconds to wait for people; None waits as long as the request itself is open. `spend`: the permit is
    redeemed before this returns, as proxies do, which run the effect somewhere else; otherwise only if people were asked.
    Raises ActionDenied (or one of its kinds) in every other case.
    """
    tool = call["tool_name"]
    try:
        answer = yield from _persist(Ask("decide", call))
        waited = _waits(answer)
        if waited:
            answer = yield from _await_release(answer, tool, deadline)
        args = _permitted(answer, call)
        if waited or spend:
            # The door was open for minutes, or the effect happens elsewhere: spend the permit now, durably, so that no
            # second holder of it can run.
            yield from _persist(Ask("redeem", {"permit": answer["permit"], "tool_args": args}), once=True)
    except DoorUnreachable as error:
        raise ControlPlaneUnreachable(
            f"the control plane cannot be reached: {error}",
            reason_code="control_plane_unreachable",
            tool_name=tool,
            action_id=call["action_id"],
        ) from error
    except DoorRefused as error:
        kind = ControlPlaneUnreachable if error.temporary else ActionDenied
        raise kind(str(error), reason_code=error.code, tool_name=tool, action_id=call["action_id"]) from error
    return Permission(call["action_id"], args, answer["decision"] == "modify", answer.get("receipt_id") or "")


def hand_off(body: Json, deadline: float | None) -> Flow[Json]:
    """Ask for a delegation, wait for people if they are asked, and return only with its token.

    Raises ActionDenied (or one of its kinds) in every other case.
    """
    tool, action_id = f"delegate/{body['delegate']}", body["action_id"]
    try:
        try:
            return (yield from _persist(Ask("delegate", body)))
        except DoorRefused as error:
            if error.code != "conflict":
                raise
            state = yield from _persist(Ask("status", {"action_id": action_id}))
        if _waits(state):
            yield from _await_release(state, tool, deadline)
        return (yield from _persist(Ask("delegate", body)))
    except DoorUnreachable as error:
        reason = f"the control plane cannot be reached: {error}"
        raise ControlPlaneUnreachable(
            reason, reason_code="control_plane_unreachable", tool_name=tool, action_id=action_id
        ) from error
    except DoorRefused as error:
        code = error.details.get("reason_code") or error.code
        raise ActionDenied(str(error), reason_code=str(code), tool_name=tool, action_id=action_id) from error


def conclude(outcome: Json) -> Flow[Json]:
    """Report how an action ended. Raises DoorError once asking again no longer helps."""
    return (yield from _persist(Ask("conclude", outcome)))


def _persist(ask: Ask, *, once: bool = False) -> Flow[Json]:
    """Put a question again after a lost answer: the same action id makes that safe.

    With `once` it is put again only if it certainly never arrived.
    """
    for pause in RETRY_PAUSES:
        try:
            return (yield ask)
        except DoorUnreachable as error:
            if once and error.sent:
                raise
        except DoorRefused as error:
            if not error.temporary:
                raise
        yield Pause(pause)
    return (yield ask)


def _waits(answer: Json) -> bool:
    return answer.get("decision") == "defer"


def _await_release(answer: Json, tool: str, deadline: float | None) -> Flow[Json]:
    """Listen until the action no longer waits. A control plane that restarts meanwhile is waited for, too."""
    action_id = answer["action_id"]
    own_end = None if deadline is None else time.monotonic() + deadline
    end = own_end if own_end is not None else _request_end(answer)
    failures = 0
    while True:
        left = end - time.monotonic()
        if left <= 0:
            raise ApprovalTimeout(
                "nobody answered before the deadline",
                reason_code="approval_timeout",
                tool_name=tool,
                action_id=action_id,
                receipt_id=answer.get("receipt_id"),
            )
        try:
            answer = yield Ask("wait", {"action_id": action_id, "timeout": min(WAIT_SECONDS, left)})
        except (DoorUnreachable, DoorRefused) as error:
            if isinstance(error, DoorRefused) and not error.temporary:
                raise
            yield Pause(min(WAIT_PAUSES[min(failures, len(WAIT_PAUSES) - 1)], left))
            failures += 1
            continue
        if not _waits(answer):
            return answer
        failures = 0
        end = own_end if own_end is not None else _request_end(answer)


def _request_end(answer: Json) -> float:
    """When the request closes, on this process's own steady clock."""
    request: Json = answer.get("approval") or {}
    remaining: float = request.get("remaining_seconds") or 0.0
    return time.monotonic() + remaining + EXPIRY_GRACE


def _permitted(answer: Json, call: Json) -> Json:
    """The arguments to run with. Raises ActionDenied unless the answer is a fresh yes to exactly this call."""
    code = answer.get("reason_code") or "denied"
    reason = answer.get("reason") or "the policy does not allow it"
    decision = answer.get("decision")
    if answer.get("action_id") != call["action_id"]:
        raise _denied(answer, call, "the answer is about another action", "answer_mismatch")
    if decision not in {"allow", "modify"}:
        raise _denied(answer, call, reason, code)
    if not answer.get("permit"):
        # The permit was spent or has expired: this call may have run already, so it never runs (again).
        raise _denied(answer, call, "the action was allowed before and its permit is spent or expired", "permit_spent")
    if decision == "allow":
        return dict(call["tool_args"])
    if not isinstance(answer.get("modified_args"), dict):
        raise _denied(answer, call, "the answer changes arguments and does not say to what", "answer_mismatch")
    return dict(answer["modified_args"])


def _denied(answer: Json, call: Json, reason: str, code: str) -> ActionDenied:
    kind: Any = ApprovalTimeout if code == "approval_expired" else ActionDenied
    return kind(  # type: ignore[no-any-return]
        reason,
        reason_code=code,
        tool_name=call["tool_name"],
        action_id=call["action_id"],
        receipt_id=answer.get("receipt_id"),
    )

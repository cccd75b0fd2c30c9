"""The one seam between a governed process and a control plane."""

from abc import ABC, abstractmethod
from typing import Any

from mutx_agent.errors import DoorRefused

Json = dict[str, Any]

WAIT_SECONDS = 25.0
"""How long one `wait` call may stay open; the governor asks again until its own deadline."""
WAIT_SLACK = 10.0
"""Seconds an open wait may stay silent past its own end before the connection counts as lost."""
ANSWER_LIMIT = 16 * 1024 * 1024
"""Bytes of one answer."""


class Transport(ABC):
    """Carries one verb to the control plane and brings its answer back.

    Verbs are `decide`, `redeem`, `conclude`, `delegate`, `status` and `wait`. A call raises `DoorUnreachable` or `DoorRefused`
    and nothing else. Transports may be shared by threads.
    """

    @abstractmethod
    def call(self, verb: str, body: Json) -> Json:
        """Blocks until the answer is here."""

    async def acall(self, verb: str, body: Json) -> Json:
        """The same without blocking the event loop."""
        from mutx_agent.background import in_thread

        return await in_thread(self.call, verb, body)

    async def pause(self, seconds: float) -> None:
        """Let `seconds` pass without blocking the event loop."""
        from mutx_agent.background import sleep

        await sleep(seconds)

    def close(self) -> None:
        """Give connections back. A closed transport opens new ones when used again."""
        return


def unwrap(reply: Json) -> Json:
    """The answer in a reply of the socket protocol. Raises the error in it."""
    if isinstance(reply.get("ok"), dict):
        answer: Json = reply["ok"]
        return answer
    raise refusal(reply.get("error"))


def refusal(problem: Any) -> DoorRefused:
    if not isinstance(problem, dict):
        return DoorRefused("internal_error", "the control plane answered with an error that says nothing")
    details = problem.get("details")
    return DoorRefused(
        str(problem.get("code") or "internal_error"),
        str(problem.get("message") or "no reason given"),
        details if isinstance(details, dict) else None,
    )

"""Transports with one fault each."""

from mutx_agent.errors import DoorUnreachable
from mutx_agent.transport.base import Json, Transport


class DeadDoor(Transport):
    """The control plane is away."""

    def call(self, verb: str, body: Json) -> Json:
        raise DoorUnreachable("nobody is there", sent=False)

    async def pause(self, seconds: float) -> None:
        return


class ForgetfulDoor(Transport):
    """It goes away once the effect has happened."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner

    def call(self, verb: str, body: Json) -> Json:
        if verb == "conclude":
            raise DoorUnreachable("it has gone")
        return self._inner.call(verb, body)

    async def pause(self, seconds: float) -> None:
        return

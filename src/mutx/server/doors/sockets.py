"""The Unix sockets of one control plane: its own, and the one for Faramesh's clients."""

from contextlib import AsyncExitStack
from dataclasses import dataclass

from mutx.governance.types import Caller
from mutx.server.doors.faramesh import FarameshDoor
from mutx.server.doors.lines import LineSocket
from mutx.server.doors.peers import KnownPeers
from mutx.server.doors.uds import UdsDoor
from mutx.server.doors.verbs import Verbs
from mutx.server.identities import KnownIdentities
from mutx.server.settings import Settings
from mutx.web.services import Services


@dataclass(frozen=True)
class Sockets:
    doors: tuple[LineSocket, ...]

    async def start(self) -> None:
        """Raises SetupError, and then none of them listens."""
        async with AsyncExitStack() as started:
            for door in self.doors:
                await door.start()
                started.push_async_callback(door.stop)
            started.pop_all()

    async def stop(self) -> None:
        for door in self.doors:
            await door.stop()


def open_sockets(
    settings: Settings, services: Services, identities: KnownIdentities, verbs: Verbs, local: Caller
) -> Sockets:
    """`local`: who processes of the server's own user act for."""
    supervisor = services.supervisor
    peers = KnownPeers(identities, local, supervisor.owner_of if supervisor is not None else lambda _: None)
    doors: list[LineSocket] = [UdsDoor(settings.socket, verbs, peers)]
    if settings.faramesh_enabled:
        doors.append(FarameshDoor(settings.faramesh_path, verbs, services.pipeline, peers))
    return Sockets(tuple(doors))

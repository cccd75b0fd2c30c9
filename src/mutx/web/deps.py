"""What a handler may ask for, as annotations.

    async def get_agent(caller: CurrentCaller, session: ReadSession, agent_id: UUID) -> Agent: ...

They read only what middleware and wiring put on the request, so no slice depends on another for them.
"""

from collections.abc import AsyncIterator, Callable
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.governance.types import Caller
from mutx.kit.errors import Unauthenticated
from mutx.web.services import Services


def services(request: Request) -> Services:
    """The control plane that serves this request."""
    found = request.app.state.services
    assert isinstance(found, Services)
    return found


async def _services(request: Request) -> Services:
    return services(request)


def caller_of(request: Request) -> Caller:
    """Who asks. Raises Unauthenticated."""
    caller: Caller | None = request.scope.get("mutx.caller")
    if caller is None:
        raise Unauthenticated("sign in, or send an API key as `Authorization: Bearer ...` or `X-API-Key`")
    return caller


async def _caller(request: Request) -> Caller:
    return caller_of(request)


async def _read(request: Request) -> AsyncIterator[AsyncSession]:
    async with services(request).database.read() as session:
        yield session


async def _write(request: Request) -> AsyncIterator[AsyncSession]:
    async with services(request).revocations.unit() as session:
        yield session


AppServices = Annotated[Services, Depends(_services)]
CurrentCaller = Annotated[Caller, Depends(_caller)]
ReadSession = Annotated[AsyncSession, Depends(_read, scope="function")]
WriteSession = Annotated[AsyncSession, Depends(_write, scope="function")]
"""One unit of work: committed when the handler returns and before the answer leaves, rolled back if it raises.

`scope="function"` is what makes a failing commit a 5xx: with FastAPI's default the answer would be on its way by then.
"""


def after_commit(session: AsyncSession, then: Callable[[], None]) -> None:
    """Call `then` once the unit of work is on disk, and not at all if it is rolled back."""
    event.listen(session.sync_session, "after_commit", lambda _: then(), once=True)

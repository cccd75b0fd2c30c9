"""What goes on around sign-ins and keys beside requests."""

import logging
from contextlib import suppress
from functools import partial

from mutx.kit.errors import MutxError, Unavailable
from mutx.resources.api_keys.jobs import record_key_uses
from mutx.resources.auth.jobs import forget_ended_logins, record_failed_logins
from mutx.resources.auth.mailing import MailRoom
from mutx.server.workers import Periodic
from mutx.services.mail import Mailer
from mutx.web.services import Services

logger = logging.getLogger(__name__)

KEY_USE_SECONDS = 10.0
FAILED_LOGIN_SECONDS = 0.25
"""A failed sign-in is on record this soon after its answer. What waits is told together, so guessing costs few writes."""
PRUNE_SECONDS = 3600.0
GAP_SECONDS = 0.05
"""Between two turns of a job that itself waits for news."""


def identity_jobs(services: Services, mailer: Mailer | None) -> tuple[Periodic, ...]:
    """`mailer`: None where this server sends no mail. Replicas watch for what the others revoke."""
    database, auth = services.database, services.auth
    jobs = [
        Periodic("key-uses", partial(record_key_uses, database, auth), KEY_USE_SECONDS),
        Periodic("failed-logins", partial(_tell_failed_logins, services), FAILED_LOGIN_SECONDS),
    ]
    jobs.append(Periodic("ended-logins", partial(forget_ended_logins, database, services.clock), PRUNE_SECONDS))
    if mailer is not None:
        room = MailRoom(database, auth, mailer, services.bus, services.clock)
        jobs.append(Periodic("mail", room.follow, GAP_SECONDS))
    if services.revocations.shared:
        jobs.append(Periodic("revocations", services.revocations.follow, GAP_SECONDS))
    return tuple(jobs)


async def _tell_failed_logins(services: Services) -> None:
    with suppress(Unavailable):  # they wait; that the store is away is told by those who need it
        await record_failed_logins(services.database, services.auth)


async def record_the_last(services: Services) -> None:
    """What was counted since the jobs ran last. A database that is gone keeps no process from ending."""
    for record in (record_key_uses, record_failed_logins):
        try:
            await record(services.database, services.auth)
        except MutxError as error:
            logger.error("the last key uses and failed logins of this process are not on record: %s", error)

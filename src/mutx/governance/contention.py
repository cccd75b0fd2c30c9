"""Trying again where somebody else's turn came first: at once at first, then after pauses, and not for ever."""

import asyncio
import random

ATTEMPTS = 128
"""Of them all together the pauses last about six seconds."""
AT_ONCE = 4
"""Tries without a pause: another call of the same process is usually through by then."""
FIRST_PAUSE = 0.002
LONGEST_PAUSE = 0.1


async def pause(tried: int) -> None:
    """Wait before the try after `tried` lost ones, `AT_ONCE` or more.

    Replicas that write to one session lose to each other, and who holds the session in memory wins more often than who
    must read it first: many tries are needed, and random pauses, so that two losers do not meet again.
    """
    longest = min(FIRST_PAUSE * 2.0 ** min(tried - AT_ONCE, 16), LONGEST_PAUSE)
    await asyncio.sleep(random.uniform(0, longest))  # noqa: S311 - spreads them; nothing is kept secret by it

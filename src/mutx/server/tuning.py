"""How a process that serves sets its interpreter. Nothing here changes what is decided."""

import gc
import sys

SWITCH_SECONDS = 0.001
"""How long a thread that computes keeps the event loop waiting (5 ms by default): policies are compiled on threads."""
YOUNG, MIDDLE, OLD = 20_000, 20, 50
"""Allocations between looks for cycles. A request makes hardly any; a look every 700 cost a twentieth of its time."""


def tune() -> None:
    """Call once everything is loaded: that stays, so it is taken out of cyclic collection.

    Unlooked at: what was loaded has few cycles that nobody needs any more, and to find them keeps the start waiting.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
    gc.enable()

"""Collections are off while a large policy is built, and afterwards they are as they were."""

import gc

from mutx.governance.policy.uncollected import uncollected


def test_collections_come_back_only_where_they_were_on() -> None:
    was_on = gc.isenabled()
    try:
        gc.enable()
        with uncollected():
            assert not gc.isenabled()
        assert gc.isenabled()
        gc.disable()
        with uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.unfreeze()
        (gc.enable if was_on else gc.disable)()

"""The bus wakes whoever listens, and waits for nobody."""

from mutx.storage.coordination import LAGGED, LocalBus


async def test_listeners_hear_their_topics_in_order() -> None:
    bus = LocalBus()
    bus.publish("decisions:ws", {"n": 0})
    async with bus.subscribe("decisions:ws", "approvals:ws") as both, bus.subscribe("approvals:ws") as one:
        bus.publish("decisions:ws", {"n": 1})
        bus.publish("approvals:ws", {"n": 2})
        bus.publish("approvals:other", {"n": 3})
        assert [await both.get(0), await both.get(0), await both.get(0.001)] == [
            ("decisions:ws", {"n": 1}),
            ("approvals:ws", {"n": 2}),
            None,
        ]
        assert await one.get() == ("approvals:ws", {"n": 2})
    bus.publish("decisions:ws", {"n": 4})
    assert await both.get(0.001) is None


async def test_a_slow_listener_loses_the_oldest_and_is_told_once() -> None:
    bus = LocalBus(queue=2)
    async with bus.subscribe("t") as slow:
        for number in range(5):
            bus.publish("t", {"n": number})
        heard = [await slow.get(0.001) for _ in range(4)]
    assert heard == [(LAGGED, {}), ("t", {"n": 3}), ("t", {"n": 4}), None]

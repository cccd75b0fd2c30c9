"""Objects as Python prints them, opened without anything being called."""

from typing import Any

import pytest

from mutx.governance.context.unfold import unfolded


@pytest.mark.parametrize(
    ("printed", "opened"),
    [
        ("[Play(id='P-7', note='a (b) it', of=None), Play(id='P-9')]", [{"id": "P-7", "note": "a (b) it", "of": None}, {"id": "P-9"}]),
        ("Cast(ok=True, cost=-1.5)", {"ok": True, "cost": -1.5}),
        ("[Hold(at=datetime.datetime(2026, 12, 3, 18, 0), day=datetime.date(2026, 1, 2))]", [{"at": "2026-12-03T18:00", "day": "2026-01-02"}]),
        ("[Sum(of=Decimal('4.2'), at=Place(1, 2), kinds={'a'})]", [{"of": "4.2", "at": [1, 2], "kinds": ["a"]}]),
        ("{'a': Point(x=1), 2: 'b'}", {"a": {"x": 1}, "2": "b"}),
        ("[Play(id='P-7', **more)]", None),
        ("[Play('P-7', note='a')]", None),
        ("[Play(id=other)]", None),
        ("[Play(id='P-7') for x in y]", None),
        ("{'a': 1, **b}", None),
        ("Note (see below)", None),
        ("Play(id='P-7'", None),
    ],
)  # fmt: skip
def test_objects_as_python_prints_them(printed: str, opened: Any) -> None:
    assert unfolded(printed) == (printed if opened is None else opened)

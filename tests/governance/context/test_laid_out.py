"""Outputs handed over as text: XML, `key=value`, an object to a line, a fence or a heading around them."""

import json
from typing import Any

import pytest

from mutx.governance.context.markup import MAX_ASSIGNED, MAX_MARKED_UP
from mutx.governance.context.unfold import MAX_LINES, unfolded

ITEMS = [{"id": "A-1", "note": "it's (so) & <so>"}, {"id": "A-2", "note": ""}]


@pytest.mark.parametrize(
    ("text", "opened"),
    [
        ("<items><item id='A-1'>so &amp; so</item><item id='A-2'/></items>", {"item": [{"id": "A-1", "text": "so & so"}, {"id": "A-2"}]}),
        ("<a>\n <b>1</b>\n <b>2</b> rest\n <c><d>x</d></c>\n</a>", {"b": ["1", "2"], "": "rest", "c": {"d": "x"}}),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", None),
        ("<a><b></a>", None),
        ("<a>" * 40 + "</a>" * 40, None),
        ("<a>" + "b" * MAX_MARKED_UP + "</a>", None),
        ("id=A-1 note=\"it's \\\"so\\\"\" tags=['a', b]\n\nid='A-2'  note=''", [{"id": "A-1", "note": "it's \"so\"", "tags": ["a", "b"]}, {"id": "A-2", "note": ""}]),
        ("id=A-1 note=it is so", None),
        ("id=A-1 " * (MAX_ASSIGNED // 6), None),
        ("\n".join(map(json.dumps, ITEMS)), ITEMS),
        ("{}\n" * (MAX_LINES + 2), None),
        ("{}\n{a}", None),
        (f"```json\n{json.dumps(ITEMS, indent=1)}\n```", ITEMS),
        (f"Found 2 parcels:\n{json.dumps(ITEMS)}", ["Found 2 parcels:", *ITEMS]),
        ("2 parcels\n<a>b</a>", ["2 parcels", "b"]),
        (f"From: kim\n{json.dumps(ITEMS)}", None),
        (f"Here is what we found: kim\n{json.dumps(ITEMS)}", None),
        (f"Dear all\n{json.dumps(ITEMS)}", None),
        ("Found 2 parcels:\nthis and that", None),
        ("", None),
    ],
)  # fmt: skip
def test_what_is_laid_out_is_opened_and_nothing_else(text: str, opened: Any) -> None:
    assert unfolded(text) == (text if opened is None else opened)

"""CEF, attacked: whatever stands in an event, it stays one line with the fields it has."""

import re

from hypothesis import given
from hypothesis import strategies as st

from mutx.governance.turn import Event
from mutx.services.siem.cef import MAX_VALUE, cef
from mutx.services.siem.record import record

HOSTILE = st.text(
    alphabet=st.one_of(
        st.sampled_from("|=\\\r\n\x00\x1b\x85\u2028\u2029 ,cs1act"), st.characters(exclude_categories=("Cs",))
    )
)


def line(**said: str) -> str:
    event = Event(topic="audit.x", workspace_id="ws-1", at=1.5, payload={"actor_type": "person", **said})
    return cef(record(event), "ws-1")


def read(text: str) -> tuple[list[str], dict[str, str]]:
    """As a collector reads it: the header at unescaped pipes, the extension at unescaped equals signs."""
    parts = re.split(r"(?<!\\)(?:\\\\)*\|", text, maxsplit=7)
    assert len(parts) == 8
    keys = [(found.start(), found.end(), found[1]) for found in re.finditer(r"(?:^|(?<= ))(\w+)=", parts[7])]
    keys = [key for key in keys if not escaped(parts[7], key[1] - 1)]
    ends = [key[0] for key in keys[1:]] + [len(parts[7]) + 1]
    return parts[:7], {key: parts[7][start : end - 1] for (_, start, key), end in zip(keys, ends, strict=True)}


def escaped(text: str, at: int) -> bool:
    before = re.search(r"\\*$", text[:at])
    return before is not None and len(before[0]) % 2 == 1


def test_an_event_is_a_header_and_fields() -> None:
    header, fields = read(line(event_type="LOGIN_FAILED", actor_id="ana", user_id="ana"))
    assert (header[0], header[4], header[6]) == ("CEF:0", "LOGIN_FAILED", "4")
    assert fields["rt"] == "1500"
    assert (fields["suid"], fields["outcome"]) == ("ana", "failure")
    assert (fields["cs1"], fields["cs1Label"]) == ("ws-1", "workspace")
    assert "cn1" not in fields


@given(HOSTILE, HOSTILE, HOSTILE)
def test_nobody_forges_a_field_or_a_line(name: str, reason: str, agent: str) -> None:
    text = line(event_type="TOOL_CALL", tool_name=name, reason=reason, agent_id=agent)
    assert len(text.splitlines()) == 1
    assert re.search(r"[\x00-\x1f\x7f]", text) is None
    text.encode()
    honest = line(event_type="TOOL_CALL", tool_name="x", reason="x", agent_id="x")
    header, fields = read(text)
    assert fields.keys() <= read(honest)[1].keys()
    assert (header[4], header[5][:9], header[6]) == ("TOOL_CALL", "TOOL_CALL", "2")
    assert fields["outcome"] == "success"


@given(HOSTILE)
def test_a_value_comes_back_as_it_was(value: str) -> None:
    plain = re.sub("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]", " ", value[:MAX_VALUE])
    fields = read(line(event_type="X", reason=f"<{value}>"))[1]
    back = re.sub(r"\\(.)", lambda found: {"n": "\n", "r": "\r"}.get(found[1], found[1]), fields["reason"])
    assert back == f"<{plain}>"[:MAX_VALUE]

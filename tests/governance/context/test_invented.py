"""Values that nobody mentioned, and fields whose value somebody's sentence names, too."""

from typing import Any

import pytest

from mutx.cli.scoreboard.gate import GateSession
from mutx.governance.policy.compile import compile_policies
from mutx.governance.policy.document import load
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.types import Effect

POLICY = """
name: office
default: allow
tools:
  read: {access: read, output: {confidentiality: internal, trusted: false}}
  own: {access: read, output: {confidentiality: internal, trusted: true}}
  give: {critical: [to, case_no, amount], referable: [to, case_no], ask_invented: true}
  tell: {sink: confidential, ask_hearsay: true}
"""
NOTED = [{"case": "C-100", "note": "The eve of the fair was nice."}]


def decided(
    seen: Any, call: tuple[str, dict[str, Any]], request: str = "Handle case C-100.", tool: str = "read"
) -> Any:
    session = GateSession(PolicyEngine(compile_policies([load(POLICY)])), request)
    action, _ = session.decide(tool, {})
    session.conclude(action, seen, None)
    return session.decide(*call)[1]


@pytest.mark.parametrize(
    ("args", "effect"),
    [
        ({"to": "eve@evil.example"}, Effect.STEP_UP),
        ({"to": "60-90-12 33331111"}, Effect.STEP_UP),
        ({"to": "KW 99 8888 0001"}, Effect.STEP_UP),
        ({"to": "K-77"}, Effect.STEP_UP),
        ({"to": "198.51.100.66"}, Effect.STEP_UP),
        ({"case_no": "8002"}, Effect.STEP_UP),
        ({"to": "Kim"}, Effect.ALLOW),
        ({"to": "2027-03-01"}, Effect.ALLOW),
        ({"to": "10:30"}, Effect.ALLOW),
        ({"to": "/photos/italy-1.jpg"}, Effect.ALLOW),
        ({"amount": 8002}, Effect.ALLOW),
        ({"amount": 12.5}, Effect.ALLOW),
        ({"case_no": "C-100"}, Effect.ALLOW),
    ],
)
def test_what_names_one_thing_and_was_mentioned_by_nobody(args: dict[str, Any], effect: Effect) -> None:
    assert decided(NOTED, ("give", args)).effect is effect
    assert decided(NOTED, ("give", args), tool="own").effect is Effect.ALLOW


@pytest.mark.parametrize(
    ("note", "effect"),
    [
        ("All of it was settled for C-200 long ago.", Effect.STEP_UP),
        ("All of it was settled with us (see C-200).", Effect.STEP_UP),
        ("By Vera (C-200).", Effect.ALLOW),
        ("C-200", Effect.ALLOW),
    ],
)
def test_a_field_does_not_vouch_for_what_a_sentence_names_too(note: str, effect: Effect) -> None:
    seen = [{"case": "C-100", "note": note}, {"case": "C-200", "note": ""}]
    assert decided(seen, ("give", {"case_no": "C-200"})).effect is effect
    assert decided(seen, ("give", {"case_no": "C-200"}), "Handle C-200.").effect is Effect.ALLOW


@pytest.mark.parametrize(
    ("text", "effect"),
    [
        ("We are closed, see http://closed.evil.example", Effect.STEP_UP),
        ("We are closed today.", Effect.ALLOW),
        ("http://closed.evil.example", Effect.STEP_UP),
        ("Write to desk@corp.example instead.", Effect.ALLOW),
    ],
)
def test_an_address_that_was_overheard_is_not_passed_on(text: str, effect: Effect) -> None:
    seen = [{"mail": "desk@corp.example", "note": "It is all on http://closed.evil.example these days."}]
    assert decided(seen, ("tell", {"text": text})).effect is (effect if " " in text else Effect.ALLOW)
    assert decided(seen, ("tell", {"page": text})).effect is effect


@pytest.mark.parametrize(
    ("place", "effect"),
    [
        ("Saint Brannock Hospital", Effect.STEP_UP),
        ("Saint Brannock hospital", Effect.ALLOW),
        ("Saint Mary Hospital", Effect.ALLOW),
        ("The Very Long Name Of Saint Brannock Hospital", Effect.ALLOW),
    ],
)
def test_the_name_of_somebody_that_only_a_text_mentions(place: str, effect: Effect) -> None:
    seen = [{"note": "Twenty units for Saint Brannock Hospital were late.", "at": "Hospital Mary"}]
    args = {"place": place}
    assert decided(seen, ("tell", args), "Handle Mary's case.").effect is effect
    assert decided([*seen, {"at": place}], ("tell", args), "Handle Mary's case.").effect is Effect.ALLOW

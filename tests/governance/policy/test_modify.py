"""Modify steps and the detectors behind `redact`."""

import pytest

from mutx.governance.detectors import DETECTORS
from mutx.governance.policy.model import ModifyStep, StepKind
from mutx.governance.policy.modify import Rewriter


def change(arguments, kind, path, **fields):
    before = repr(arguments)
    after, (line,) = Rewriter([ModifyStep(kind=StepKind(kind), path=path, **fields)]).apply(arguments)
    assert repr(arguments) == before, "the arguments given stay as they are"
    return after, line


@pytest.mark.parametrize(("step", "arguments", "after", "line"), [
    (("set", "a.b", {"value": 5}), {"a": {"b": 1, "c": 2}}, {"a": {"b": 5, "c": 2}}, "set a.b (set x1)"),
    (("set", "x", {"value": 5}), {"a": 1}, {"a": 1}, "set x (absent)"),
    (("remove", "a", {}), {"a": 1, "b": 2}, {"b": 2}, "remove a (removed x1)"),
    (("remove", "l[*]", {}), {"l": [1, 2]}, {"l": []}, "remove l[*] (removed x2)"),
    (("remove", "l[*].k", {}), {"l": [{"k": 1, "m": 2}, 3]}, {"l": [{"m": 2}, 3]}, "remove l[*].k (removed x1)"),
    (("remove", "a[*]", {}), {"a": "text"}, {"a": "text"}, "remove a[*] (absent)"),
    (("truncate", "a", {"max": 3}), {"a": "abcdef"}, {"a": "abc"}, "truncate a (cut x1)"),
    (("truncate", "a", {"max": 3}), {"a": 5}, {"a": 5}, "truncate a (nothing to do)"),
    (("cap", "a", {"max": 3}), {"a": 5}, {"a": 3}, "cap a (capped x1)"),
    (("cap", "a", {"max": 2.5}), {"a": 5}, {"a": 2.5}, "cap a (capped x1)"),
    (("cap", "a", {"max": 3}), {"a": "5"}, {"a": "5"}, "cap a (nothing to do)"),
    (("redact", "a", {"detectors": ("ssn",)}), {"a": "ssn 123-45-6789."}, {"a": "ssn [REDACTED:ssn]."}, "redact a (ssn x1)"),
    (("redact", "a", {"pattern": "k[0-9]+", "replacement": "*"}), {"a": ["k1", {"b": "k2 k3"}, 4]},
     {"a": ["*", {"b": "* *"}, 4]}, "redact a (pattern x3)"),
    (("redact", "a", {"pattern": "x*"}), {"a": "abc"}, {"a": "abc"}, "redact a (nothing to do)"),
])  # fmt: skip
def test_steps(step, arguments, after, line):
    kind, path, fields = step
    assert change(arguments, kind, path, **fields) == (after, line)


FOUND = {
    "ssn": ["123-45-6789", "123 45 6789", "123456789"],
    "card": ["4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005"],
    "iban": ["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432", "fr14 2004 1010 0505 0001 3m02 606"],
    "email": ["bob@example.com", "a.b+c@mail.example.co"],
}
PASSED = {
    "ssn": ["000-12-3456", "666-12-3456", "900-12-3456", "123-00-4567", "123-45-0000", "1123-45-6789", "123-45 6789"],
    "card": ["4111 1111 1111 1112", "0000 0000 0000 0000", "41111111111111111111111"],
    "iban": ["DE88 3704 0044 0532 0130 00", "XX89 3704 0044 0532 0130 00", "DE89 3704", "DE893704004405320130001"],
    "email": ["bob@", "@example.com", "bob@localhost"],
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name in FOUND for text in FOUND[name]])
def test_detectors_find(name, text):
    around = f"it is {text}, and more"
    assert [around[start:end] for start, end in DETECTORS[name](around)] == [text]


@pytest.mark.parametrize(("name", "text"), [(name, text) for name in PASSED for text in PASSED[name]])
def test_detectors_pass_over(name, text):
    assert list(DETECTORS[name](text)) == []


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize("bomb", ["1" * 100_000, "a@" * 50_000, "DE11" * 25_000, "1 " * 50_000, "'" * 50_000])
def test_detectors_are_done_with_hostile_text(name, bomb):
    assert isinstance(list(DETECTORS[name](bomb)), list)

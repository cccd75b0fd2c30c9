"""The quick readers say what the careful ones say, or leave the document to them."""

import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mutx.governance.policy import json_quick
from mutx.governance.policy.document import _lines, load, parse
from mutx.governance.policy.json_quick import quick_json
from mutx.governance.policy.yaml_quick import quick_yaml
from mutx.kit.errors import PolicyInvalid
from tests.governance.policy.test_document import BAD, BEYOND_SCHEMA, FULL, GOOD, REFUSED_JSON, REFUSED_YAML

QUICK = {"json": quick_json, "yaml": quick_yaml}
words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=6)
scalars = st.one_of(st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.floats(-1e60, 1e60), words)
values = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=3))
)
documents = st.dictionaries(words, values, max_size=4)
scribbles = st.text(st.sampled_from("{}[]:,\"-?&*!|> \n\t01ae.#'\\"), max_size=30)


def agrees(text: str, kind: str) -> bool:
    """Whether the quick reader took it on; then its answer must be the careful reader's."""
    quick = QUICK[kind](text)
    if quick is None:
        return False
    tree = parse(text, format=kind)
    assert quick.content == tree.plain()
    assert json.dumps(quick.content) == json.dumps(tree.plain())  # 1, 1.0 and true are not the same
    assert {name: lines for name, lines in quick.lines.items() if lines is not None} == _lines(tree)
    return True


@settings(max_examples=200, deadline=None)
@given(documents, st.sampled_from([None, 1]))
def test_json_of_any_shape(content, indent):
    agrees(json.dumps(content, indent=indent), "json")
    agrees(json.dumps(content, indent=indent, ensure_ascii=False), "json")


@settings(max_examples=100, deadline=None)
@given(documents, st.booleans())
def test_yaml_of_any_shape(content, flow):
    agrees(yaml.safe_dump(content, default_flow_style=flow, allow_unicode=True), "yaml")


@settings(max_examples=500, deadline=None)
@given(scribbles, st.sampled_from(["json", "yaml"]))
def test_scribbles(text, kind):
    try:
        parse(text, format=kind)
    except PolicyInvalid:
        assert QUICK[kind](text) is None
    else:
        agrees(text, kind)


@pytest.mark.parametrize("text", [*GOOD, *BAD.values(), *(text for text, _, _ in BEYOND_SCHEMA.values())])
def test_what_people_write_is_read_quickly(text):
    content = parse(text).plain()
    assert agrees(text, "yaml") is isinstance(content, dict)
    assert agrees(json.dumps(content, indent=1), "json") is isinstance(content, dict)


UNUSUAL = [
    *REFUSED_YAML.values(), "a: &x 1", "a: !t 1", "a: &x [1]", "a: !t [1]", "&x a: 1", "!t {a: 1}", "a: [*x]", "a: [!t {}]",
    "a: &x {b: 1}", "[]", "# nothing", "{a: 1}\n...\n---\n", "a: {? [b] : c}", "a: {b: 1, b: 2}", "a: [[*x]]", "a: {b: 1",
]  # fmt: skip


@pytest.mark.parametrize("text", UNUSUAL)
def test_what_is_unusual_is_left_to_the_careful_reader(text):
    assert quick_yaml(text) is None


@pytest.mark.parametrize("text", [
    *REFUSED_JSON, "[]", '{"a": 1} 2', '{"a": 1, }', '{"\\u0061": 1}', '{"a": [1}', '{"a": {"b": 1, "b": 2}}', '{"a": NaN}',
    '{"a": 1e999}', '{"a": ' + "1" * 300 + "}", '{"a": {"b": tru}}', '{"a": [{"b": 1} {}]}', '{"a"', '{"a": {"b": 1]}',
])  # fmt: skip
def test_json_for_the_careful_reader(text):
    assert quick_json(text) is None


@pytest.mark.parametrize("window", [8, 24, 64])
def test_json_is_decoded_through_a_window(monkeypatch, window):
    """Wherever it cuts, numbers and texts included, the answer is the same or nobody's."""
    monkeypatch.setattr(json_quick, "WINDOW", window)
    for width in range(1, 20):
        content = {"name": "a" * width, "rules": [12345678, {"a": 1.5, "b": True}, "x" * width, None], "t": {"k": -0.5}}
        agrees(json.dumps(content), "json")
        agrees(json.dumps(content, indent=2), "json")
    assert agrees(json.dumps({"rules": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}), "json")


def test_both_count_what_they_make(monkeypatch):
    monkeypatch.setattr("mutx.governance.policy.nodes.MAX_NODES", 5)
    assert quick_yaml("a: [1, 2, 3, 4, 5, 6]") is None
    assert quick_json('{"a": [1, 2, 3, 4, 5, 6]}') is None
    assert quick_json('{"a": [{"b": 1, "c": 2, "d": 3, "e": 4, "f": 5, "g": 6}]}') is None


def test_rules_know_their_lines_in_either_form():
    text = json.dumps(parse(FULL).plain(), indent=1)
    rules = load(text, format="json").rules
    assert [text.splitlines()[rule.line - 1].strip() for rule in rules[:3]] == ["{"] * 3
    assert [FULL.splitlines()[rule.line - 1].strip()[:6] for rule in load(FULL).rules[:3]] == [
        "- id: ",
        "- {id:",
        "- id: ",
    ]
    assert load("name: a\ntools:\n  t: {}\n  u: {}").tools[1].line == 4


def test_a_name_of_a_map_is_held_to_its_place():
    with pytest.raises(PolicyInvalid) as refused:
        load("name: a\ntools:\n  t: {}\n  " + "u" * 300 + ": {}")
    (problem,) = refused.value.details["problems"]
    assert (problem["line"], problem["column"]) == (4, 3)
    with pytest.raises(PolicyInvalid, match="at most 1000"):
        load("name: a\ntools: {t: {parameters: {" + ", ".join(f"p{number}: {{}}" for number in range(1001)) + "}}}")


def test_a_free_value_has_a_depth():
    deep = "[" * 25 + "]" * 25
    with pytest.raises(PolicyInvalid, match="deeper than 24"):
        load("name: a\nrules:\n- {id: x, effect: modify, modify: [{set: a, value: " + deep + "}]}")
    load("name: a\nrules:\n- {id: x, effect: modify, modify: [{set: a, value: " + deep[1:-1] + "}]}")

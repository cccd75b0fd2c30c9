"""Documents: what is read, what is refused and on which line, and that the published schema says the same."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from mutx.governance.policy.document import load, parse
from mutx.governance.policy.model import BudgetPeriod, RuleEffect
from mutx.governance.policy.schema import document_schema, schema_text
from mutx.governance.tools import Access, MetaTool, ParameterType
from mutx.governance.types import Confidentiality, Effect
from mutx.kit.errors import PolicyInvalid

SCHEMA = Draft202012Validator(document_schema())

FULL = """
name: everything
description: uses every field
enabled: true
default: step_up
tools:
  - name: mail.send
    description: send
    category: mail
    risk: high
    requires_approval: true
    approval_timeout: 60
    parameters:
      to: {type: string, required: true, pattern: ".+@.+", min_length: 3, max_length: 80}
      n: {type: number, min: -1.5, max: 5, allowed: [1, 2.5, "x", true], blocked: [0]}
    additional_parameters: false
    access: write
    resource: to
    output: {confidentiality: internal, trusted: true}
    sink: CONFIDENTIAL
    accepts_untrusted: false
    critical: [to]
    ask_unknown: true
    meta: {tool: name, args: arguments, prefix: "mcp."}
rules:
  - id: ask
    name: Ask first
    enabled: true
    priority: 5
    match: {tool: "mail.*", agent: "a-*", session: "*"}
    when: args.n > 1 && session.level >= 2
    effect: step_up
    approvers: {roles: [ADMIN], users: [u1]}
    timeout: 5m
    quorum: 2
    escalate: {after: 1.5m, to: [OWNER]}
    rate: {per_minute: 3, per_session: 10}
    budget: {amount: n, max: 100.5, per: day, on_exceed: step_up}
    require_alignment: true
    reason: because
  - {id: no, effect: deny, final: true}
  - id: change
    effect: modify
    timeout: 90
    modify:
      - {set: a.b, value: {x: [1, null]}}
      - {remove: "items[*].secret"}
      - {redact: body, detector: [ssn, card], replacement: "***"}
      - {redact: body, detector: email}
      - {redact: body, pattern: "k[0-9]+"}
      - {truncate: body, max: 10}
      - {cap: n, max: 2.5}
forbid:
  - {id: f1, after: {tool: "read*"}, then: {tool: "send*"}, within: 5m, reason: no}
  - {after: {confidentiality: restricted}, then: {tool: "*"}}
  - {after: {untrusted: true}, then: {tool: shell}}
forbidden: ["rm*"]
intent: {suspected: step_up, confirmed: deny}
"""


def test_every_field_is_read():
    document = load(FULL)
    tool, rule = document.tools[0].schema, document.rules[0]
    assert (tool.access, tool.sink, tool.meta) == (
        Access.WRITE,
        Confidentiality.CONFIDENTIAL,
        MetaTool(tool="name", args="arguments", prefix="mcp."),
    )
    assert [p.type for p in tool.parameters] == [ParameterType.STRING, ParameterType.NUMBER]
    assert tool.parameters[1].allowed_values == (1, 2.5, "x", True)
    assert (rule.approval.timeout, rule.approval.escalate_after, rule.approval.users) == (300.0, 90.0, ("u1",))
    assert (rule.budget.per, rule.budget.amount.source, rule.budget.limit) == (BudgetPeriod.DAY, "args.n", 100.5)
    assert [one.effect for one in document.rules] == [
        RuleEffect.STEP_UP,
        RuleEffect.DENY,
        RuleEffect.MODIFY,
        RuleEffect.DENY,
    ]
    assert (document.default, document.forbid[0].within, document.forbid[1].id) == (Effect.STEP_UP, 300.0, "forbid-2")
    assert document.rules[0].line == 26


def test_yaml_and_json_say_the_same():
    document = load(FULL)
    again = load(json.dumps(document.content, indent=1), format="json")
    assert again.digest == document.digest
    assert again.rules[0].line > 1
    assert load(FULL.replace("uses every field", "other")).digest != document.digest


def test_tools_may_be_a_map():
    assert load("name: a\ntools: {t: {risk: low}}").tools[0].schema.name == "t"


GOOD = ["name: a", "name: a\nrules: []", "name: a\nrules:\n- {id: x, effect: warn, timeout: 100ms}", FULL]
BAD = {
    "nothing": "[]",
    "no name": "default: allow",
    "name": "name: 'a b'",
    "unknown field": "name: a\nrulez: []",
    "unknown rule field": "name: a\nrules:\n- {id: x, effect: allow, colour: red}",
    "effect": "name: a\nrules:\n- {id: x, effect: maybe}",
    "no id": "name: a\nrules:\n- {effect: allow}",
    "default": "name: a\ndefault: modify",
    "flag": "name: a\nenabled: yes",
    "number": "name: a\nrules:\n- {id: x, effect: allow, priority: high}",
    "whole": "name: a\nrules:\n- {id: x, effect: allow, priority: 1.5}",
    "text": "name: a\ndescription: 5",
    "long": "name: a\ndescription: " + "x" * 3000,
    "list": "name: a\nrules: {}",
    "map": "name: a\nrules: [5]",
    "duration": "name: a\nrules:\n- {id: x, effect: step_up, timeout: soon}",
    "duration zero": "name: a\nrules:\n- {id: x, effect: step_up, timeout: 0}",
    "quorum": "name: a\nrules:\n- {id: x, effect: step_up, quorum: 0}",
    "modify without steps": "name: a\nrules:\n- {id: x, effect: modify}",
    "empty steps": "name: a\nrules:\n- {id: x, effect: modify, modify: []}",
    "steps without modify": "name: a\nrules:\n- {id: x, effect: allow, modify: [{remove: a}]}",
    "final allow": "name: a\nrules:\n- {id: x, effect: allow, final: true}",
    "two steps in one": "name: a\nrules:\n- {id: x, effect: modify, modify: [{remove: a, cap: b, max: 1}]}",
    "no step": "name: a\nrules:\n- {id: x, effect: modify, modify: [{max: 1}]}",
    "cap without max": "name: a\nrules:\n- {id: x, effect: modify, modify: [{cap: a}]}",
    "remove with max": "name: a\nrules:\n- {id: x, effect: modify, modify: [{remove: a, max: 1}]}",
    "redact nothing": "name: a\nrules:\n- {id: x, effect: modify, modify: [{redact: a}]}",
    "truncate to a fraction": "name: a\nrules:\n- {id: x, effect: modify, modify: [{truncate: a, max: 1.5}]}",
    "path": "name: a\nrules:\n- {id: x, effect: modify, modify: [{remove: 'a..b'}]}",
    "detector": "name: a\nrules:\n- {id: x, effect: modify, modify: [{redact: a, detector: dna}]}",
    "budget": "name: a\nrules:\n- {id: x, effect: allow, budget: {amount: n}}",
    "within a label": "name: a\nforbid: [{after: {untrusted: true}, then: {tool: t}, within: 5}]",
    "after nothing": "name: a\nforbid: [{after: {}, then: {tool: t}}]",
    "after two": "name: a\nforbid: [{after: {tool: x, untrusted: true}, then: {tool: t}}]",
    "untrusted false": "name: a\nforbid: [{after: {untrusted: false}, then: {tool: t}}]",
    "parameter": "name: a\ntools: {t: {parameters: {p: {kind: string}}}}",
    "parameters": "name: a\ntools: {t: {parameters: []}}",
    "allowed": "name: a\ntools: {t: {parameters: {p: {allowed: [[1]]}}}}",
    "tools": "name: a\ntools: 5",
}
BEYOND_SCHEMA = {
    "cel": ("name: a\nrules:\n- id: x\n  effect: allow\n  when: 'args.a >'", 5, "Failed to parse"),
    "cel too long": ("name: a\nrules:\n- {id: x, effect: allow, when: '" + "1+" * 300 + "1 > 0'}", 3, "at most 500 words"),
    "nested macros": ("name: a\nrules:\n- {id: x, effect: allow, when: 'args.a.all(x, args.b.all(y, x == y))'}", 3, "comprehension"),
    "re2": ("name: a\ntools: {t: {parameters: {p: {pattern: '('}}}}", 2, "RE2"),
    "re2 lookahead": ("name: a\ntools: {t: {parameters: {p: {pattern: '(?=a)'}}}}", 2, "RE2"),
    "range": ("name: a\ntools: {t: {parameters: {p: {min: 2, max: 1}}}}", 2, "nothing fits"),
    "length": ("name: a\ntools: {t: {parameters: {p: {min_length: 2, max_length: 1}}}}", 2, "nothing fits"),
    "nobody": ("name: a\nrules:\n- {id: x, effect: step_up, approvers: {roles: []}}", 3, "at least one"),
    "twice": ("name: a\nrules:\n- {id: x, effect: allow}\n- {id: x, effect: deny}", 4, "already taken on line 3"),
    "twice a tool": ("name: a\ntools:\n- {name: t}\n- {name: t}", 4, "already taken"),
    "too exact": ("name: a\nrules:\n- {id: x, effect: modify, modify: [{set: a, value: 123456789012345678}]}", 1, "JSON"),
}  # fmt: skip


@pytest.mark.parametrize("text", GOOD)
def test_what_loads_fits_the_schema(text):
    assert SCHEMA.is_valid(load(text).content)


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_what_does_not_load_does_not_fit_the_schema(text):
    with pytest.raises(PolicyInvalid) as refused:
        load(text)
    assert refused.value.details["problems"][0]["line"] >= 1
    assert not SCHEMA.is_valid(parse(text).plain())


@pytest.mark.parametrize(("text", "line", "message"), BEYOND_SCHEMA.values(), ids=BEYOND_SCHEMA)
def test_what_a_schema_cannot_say(text, line, message):
    with pytest.raises(PolicyInvalid) as refused:
        load(text)
    problem = refused.value.details["problems"][0]
    assert problem["line"] == line
    assert message in problem["message"]


def test_all_problems_come_together():
    with pytest.raises(PolicyInvalid, match=r"policy a is not valid: line 2.*and 2 more") as refused:
        load("name: a\ndefault: x\nrulez: 1\nrules:\n- {effect: maybe}\nenabled: 7".replace("default", "colour"))
    assert [one["line"] for one in refused.value.details["problems"]] == sorted(
        one["line"] for one in refused.value.details["problems"]
    )


def test_many_problems_are_counted_not_listed():
    with pytest.raises(PolicyInvalid) as refused:
        load("name: a\nrules:\n" + "- {id: x}\n" * 500)
    assert (len(refused.value.details["problems"]), refused.value.details["count"]) == (100, 500)


REFUSED_YAML = {
    "syntax": "name: [",
    "empty": "",
    "several_documents": "name: a\n---\nname: b",
    "alias": "name: &a x\ndescription: *a",
    "tag": "name: !!python/object:os.system x",
    "duplicate_key": "name: a\nname: b",
    "key": "? [a]\n: b",
    "too_deep": "name: " + "[" * 50 + "]" * 50,
}


@pytest.mark.parametrize(("code", "text"), REFUSED_YAML.items(), ids=REFUSED_YAML)
def test_yaml_that_is_not_plain(code, text):
    with pytest.raises(PolicyInvalid) as refused:
        load(text)
    assert refused.value.details["problems"][0]["code"] == code


@pytest.mark.parametrize(("text", "value"), [
    ("yes", "yes"), ("1:30", "1:30"), ("0x1F", "0x1F"), ("~", None), ("True", True), ("1e3", 1000.0), ("-5", -5),
    (".5", 0.5), ("2024-01-01", "2024-01-01"), ("'5'", "5"), (".inf", ".inf"), ("9" * 30, float("9" * 30)),
])  # fmt: skip
def test_yaml_scalars_are_those_of_1_2(text, value):
    assert parse(f"v: {text}").plain() == {"v": value}


def test_keys_that_look_like_numbers_stay_text():
    assert parse("5: a\ntrue: b").plain() == {"5": "a", "true": "b"}


REFUSED_JSON = [
    "", "{", "[1,]", '{"a" 1}', '{a: 1}', '{"a": 1, "a": 2}', "NaN", "-Infinity", "01", '"\n"', "1 2", "{\"a\": tru}",
    '{"a": 1 "b": 2}', "[" * 1000 + "]" * 1000, "1.", "1e999",
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED_JSON)
def test_json_that_is_none(text):
    with pytest.raises(PolicyInvalid):
        parse(text, format="json")


@pytest.mark.parametrize(
    "text", ['{"a": [1, -2.5e3, true, null, "x\\u00e9\\ud83d\\ude00"], "b": {}, "c": []}', " 5 ", '\n"a"']
)
def test_json_reads_as_the_library_does(text):
    assert parse(text, format="json").plain() == json.loads(text)


def test_json_problems_have_places():
    with pytest.raises(PolicyInvalid) as refused:
        load('{\n "name": "a",\n  "bogus": 1\n}', format="json")
    assert refused.value.details["problems"][0] | {"message": ""} == {
        "line": 3, "column": 3, "code": "unknown_field", "message": "",
    }  # fmt: skip


def test_size_is_bounded(monkeypatch):
    with pytest.raises(PolicyInvalid, match="at most 5 MB"):
        load("name: " + "a" * 5_000_001)
    monkeypatch.setattr("mutx.governance.policy.nodes.MAX_NODES", 10)
    with pytest.raises(PolicyInvalid, match="too many values"):
        load("name: a\nforbidden: [" + "a, " * 20 + "a]")


def test_lone_surrogates_are_refused():
    with pytest.raises(PolicyInvalid, match="JSON"):
        load('{"name": "a", "description": "\\ud800"}', format="json")


def test_the_published_schema_is_current():
    published = Path(__file__).parents[3] / "api" / "policyset.schema.json"
    assert published.read_text("utf-8") == schema_text()
    Draft202012Validator.check_schema(document_schema())


def test_the_module_writes_the_schema():
    words = [sys.executable, "-m", "mutx.governance.policy.schema"]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == schema_text()

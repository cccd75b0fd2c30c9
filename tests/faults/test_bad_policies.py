"""Policies that do not compile, and policies that try to cost forever: the old version stays, and calls stay bounded."""

import asyncio
import multiprocessing
from itertools import pairwise
from typing import Any

import pytest
from msgspec import Struct, field

from mutx.server.settings import Settings
from mutx.server.wiring import build
from tests.faults.world import World, assert_refused, call, client, post

RULE = "name: house\nrules:\n  - {id: all, match: {tool: '*'}, effect: allow"

BROKEN = {
    "no YAML": "rules: [",
    "no mapping": "- a\n- b\n",
    "an unknown field": "name: house\nrulez: []\n",
    "an unknown effect": "name: house\nrules:\n  - {id: a, match: {tool: x}, effect: permit}\n",
    "a condition that does not parse": RULE + ", when: 'args.'}\n",
    "a pattern that does not parse": "name: house\ntools:\n  t: {parameters: {a: {pattern: '('}}}\nrules: []\n",
    "one good rule, one bad": RULE + "}\n  - {id: b, match: {tool: x}, effect: alow}\n",
    "two rules of one name": RULE + "}\n  - {id: all, match: {tool: x}, effect: deny}\n",
    "a Python object": "name: house\nrules: !!python/object/apply:os.system ['true']\n",
    "an alias bomb": "a: &a [x, x, x]\n"
    + "\n".join(f"{n}: &{n} [*{p}, *{p}, *{p}]" for p, n in pairwise("abcdefghijk")),
    "nested 1000 deep": "name: " + "[" * 1000 + "]" * 1000 + "\n",
    "a duplicate key": RULE + ", effect: deny}\n",
    "a million bytes": "name: house\nrules:\n" + "  - {id: a, match: {tool: x}, effect: allow}\n" * 25_000,
}


@pytest.mark.parametrize("document", BROKEN.values(), ids=BROKEN)
async def test_a_policy_that_does_not_compile_is_refused_whole(world: World, document: str) -> None:
    before = (await world.decide("shell"))["policy_version"]
    for answer in (
        await world.operator.put("/v1/policies/house", json={"name": "house", "document": document}),
        await world.operator.post("/v1/policies", json={"name": "more", "document": document}),
    ):
        assert answer.status_code in {413, 422}, answer.text
        assert answer.json()["code"] in {"policy_invalid", "too_large"}
    after = await world.decide("shell")
    assert (after["effect"], after["policy_version"]) == ("deny", before)
    assert [policy["name"] for policy in (await world.operator.get("/v1/policies")).json()] == ["house"]


async def test_where_it_does_not_compile_is_said(world: World) -> None:
    answer = await world.operator.put(
        "/v1/policies/house", json={"name": "house", "document": BROKEN["one good rule, one bad"]}
    )
    assert_refused(answer, 422, "policy_invalid")
    assert answer.json()["details"]["problems"][0]["line"] == 4


STARS = "*a" * 40 + "*b"
TOOL = "a" * 250
LONG = {"a": "a" * 200_000 + "!"}


def rules(*lines: str) -> str:
    return "name: p\nrules:\n" + "".join(f"  - {{{line}}}\n" for line in lines)


def pattern(text: str) -> str:
    return f"name: p\ntools:\n  t: {{parameters: {{a: {{type: string, pattern: '{text}'}}}}}}\nrules: []\n"


class Bomb(Struct, frozen=True):
    document: str
    ends: str
    """In `refused` when it is applied, or in an effect when a call meets it."""
    tool: str = "t"
    args: dict[str, Any] = field(default_factory=dict)


BOMBS = {
    "a glob of many stars": Bomb(rules(f"id: g, match: {{tool: '{STARS}'}}, effect: allow"), "deny", TOOL),
    "a thousand globs": Bomb(
        rules(*(f"id: g{n}, match: {{tool: '*a{n}{'*a' * 20}*b'}}, effect: allow" for n in range(1000))), "deny", TOOL
    ),
    "an argument pattern": Bomb(pattern("^(a+)+$"), "deny", args=LONG),
    "a counted repetition": Bomb(pattern("((a{1,100}){1,100}){1,100}"), "refused"),
    "a condition's pattern": Bomb(
        rules("id: c, match: {tool: t}, effect: allow, when: \"args.a.matches('^(a|a)*$')\""), "deny", args=LONG
    ),
    "a redaction pattern": Bomb(
        rules("id: r, match: {tool: t}, effect: modify, modify: [{redact: a, pattern: '(a+a+)+b'}]"),
        "modify",
        args=LONG,
    ),
    "loops in loops": Bomb(
        rules("id: c, match: {tool: t}, effect: allow, when: 'args.a.all(x, args.a.all(y, args.a.all(z, x + y > z)))'"),
        "refused",
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_does_not_go_off(name: str) -> None:
    """In a process of its own, which can be killed: the answer takes milliseconds, or ages."""
    process = multiprocessing.get_context("spawn").Process(target=defuse, args=(name,), daemon=True)
    process.start()
    process.join(60)
    try:
        assert process.exitcode == 0
    finally:
        process.kill()


def defuse(name: str) -> None:
    asyncio.run(meet(BOMBS[name]))


async def meet(bomb: Bomb) -> None:
    plane = await build(Settings(), memory=True)
    try:
        async with client(plane, await plane.local_token()) as operator:
            applied = await operator.post("/v1/policies", json={"name": "p", "document": bomb.document})
            if bomb.ends == "refused":
                assert_refused(applied, 422, "policy_invalid")
                assert {problem["code"] for problem in applied.json()["details"]["problems"]} == {"invalid"}
                return
            assert applied.status_code == 201, applied.text
            body = call("x", _tool_name=bomb.tool, _tool_args=bomb.args)
            assert (await post(operator, "/v1/governance/decide", body))["effect"] == bomb.ends
    finally:
        await plane.stop()


async def test_a_condition_that_is_neither_true_nor_false_allows_nothing(world: World) -> None:
    document = RULE + ", when: '1 + 1'}\n"
    answer = await world.operator.put("/v1/policies/house", json={"name": "house", "document": document})
    assert answer.status_code in {200, 422}
    assert (await world.decide("shell"))["effect"] in {"deny", "defer"}

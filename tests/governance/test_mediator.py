"""From what an agent sent to what is decided."""

import hashlib
import json
import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from mutx.governance.mediator import MAX_DEPTH, MAX_LEAVES, ActionMediator
from mutx.governance.mediator_meta import MAX_DEPTH as MAX_META_DEPTH
from mutx.governance.tools import MetaTool, ToolSchema
from mutx.governance.types import (
    ActionCategory,
    Caller,
    Door,
    NormalizedAction,
    PrincipalKind,
    Risk,
    ToolCall,
)
from mutx.kit.errors import InputError, PermissionDenied

CALLER = Caller(
    workspace_id="w1",
    principal_id="key-1",
    kind=PrincipalKind.AGENT,
    door=Door.HTTP,
    user_id="ann",
    agent_id="agent",
    roles=("AGENT",),
    scopes=("decide",),
)
BY_TOOL_AND_ARGS = MetaTool(tool="name", args="arguments")
TOOLS = {
    "call": ToolSchema(name="call", meta=BY_TOOL_AND_ARGS),
    "mcp": ToolSchema(name="mcp", meta=MetaTool(tool="request.tool", args="request.input", prefix="mcp/")),
    "flat": ToolSchema(name="flat", meta=MetaTool(tool="name")),
    "wide": ToolSchema(name="wide", meta=MetaTool(tool="calls.name", args="calls.arguments")),
}


def tool_call(tool: str = "send", args: dict[str, Any] | None = None, **more: Any) -> ToolCall:
    return ToolCall(tool_name=tool, agent_id="agent", session_id="s1", tool_args=args or {}, **more)


def normalize(
    call: ToolCall,
    *,
    caller: Caller = CALLER,
    mediator: ActionMediator | None = None,
    tools: Callable[[str], ToolSchema | None] = TOOLS.get,
    now: float = 5.0,
) -> NormalizedAction:
    return (mediator or ActionMediator()).normalize(call, caller, tools=tools, id="a1", now=now)


def test_identity_comes_from_the_caller_and_time_from_the_server() -> None:
    action = normalize(tool_call(args={"to": "bob"}, user_id="boss", input_preview="hi", depends_on=("a0",)))
    assert (action.user_id, action.claimed_user_id) == ("ann", "boss")
    assert (action.workspace_id, action.roles, action.scopes, action.timestamp) == ("w1", ("AGENT",), ("decide",), 5.0)
    assert (action.tool_name, action.tool_args, action.depends_on) == ("send", {"to": "bob"}, ("a0",))
    assert (action.called_as, action.meta_error, action.input_preview) == (None, None, "hi")
    assert normalize(tool_call(user_id="ann")).claimed_user_id is None


def test_an_agents_key_speaks_for_no_other_agent() -> None:
    with pytest.raises(PermissionDenied):
        normalize(msgspec.structs.replace(tool_call(), agent_id="other"))
    person = msgspec.structs.replace(CALLER, agent_id=None)
    assert normalize(msgspec.structs.replace(tool_call(), agent_id="other"), caller=person).agent_id == "other"


def test_the_hash_is_sha_256_of_the_canonical_identifying_fields() -> None:
    action = normalize(tool_call(args={"b": 1.0, "a": "é"}))
    assert action.action_hash == covered(action)


def covered(action: NormalizedAction) -> str:
    """The hash by the RFC 8785 library."""
    names = "id tool_name operation tool_args agent_id session_id user_id service trigger runtime parent_action_id"
    fields = {name: getattr(action, name) for name in names.split()}
    return hashlib.sha256(rfc8785.dumps(fields)).hexdigest()


def test_the_hash_of_hostile_texts_is_canonical_too() -> None:
    chance = random.Random(5)

    def text() -> str:
        ranges = ((0, 0x80), (0, 0x20), (0x80, 0xD800), (0xE000, 0x110000), (0x2028, 0x202A), (0x7F, 0x80))
        return "".join(chr(chance.randrange(*chance.choice(ranges))) for _ in range(chance.randrange(1, 12)))

    for _ in range(500):
        args = {text(): chance.choice([1, 1.0, 1e16, -0.0, text(), None, [text()], {text(): 2.5}])}
        call = msgspec.structs.replace(tool_call(args=args), operation=text(), service=text(), trigger=text())
        action = normalize(call)
        assert action.action_hash == covered(action)
    with pytest.raises(InputError, match="lone surrogate"):
        normalize(msgspec.structs.replace(tool_call(), operation="\ud800"))


@pytest.mark.parametrize(
    "changed",
    [
        {"tool_name": "other"},
        {"operation": "read"},
        {"tool_args": {"x": 2}},
        {"session_id": "s2"},
        {"service": "svc"},
        {"trigger": "cron"},
        {"runtime": "other"},
        {"parent_action_id": "p"},
    ],
)
def test_every_identifying_field_changes_the_hash(changed: dict[str, Any]) -> None:
    call = tool_call(args={"x": 1})
    assert normalize(call).action_hash != normalize(msgspec.structs.replace(call, **changed)).action_hash


def test_time_previews_roles_and_requests_do_not_change_the_hash() -> None:
    call = tool_call(args={"x": 1})
    dressed = msgspec.structs.replace(call, input_preview="p", original_request="r", stated_intent="s")
    other = msgspec.structs.replace(CALLER, roles=(), scopes=())
    assert normalize(call).action_hash == normalize(dressed, caller=other, now=9.0).action_hash


@given(st.dictionaries(st.text(), st.integers(-(2**53) + 1, 2**53 - 1) | st.text() | st.booleans(), max_size=5))
def test_the_order_of_arguments_does_not_matter(args: dict[str, Any]) -> None:
    turned = dict(reversed(args.items()))
    assert normalize(tool_call(args=args)).action_hash == normalize(tool_call(args=turned)).action_hash


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth - 1):
        value = {"x": value}
    return value


@pytest.mark.parametrize(
    "args",
    [
        {"x": float("nan")},
        {"x": float("inf")},
        {"x": "\ud800"},
        {"\ud800": 1},
        {"x": 2**53},
        {"x": -(2**53)},
        {"x": object()},
        nested(MAX_DEPTH + 1),
        {"x": list(range(MAX_LEAVES + 1))},
        {"x": [[] for _ in range(MAX_LEAVES + 1)]},
    ],
    ids=["nan", "infinity", "surrogate", "key", "large", "small", "object", "deep", "leaves", "lists"],
)
def test_what_has_no_canonical_form_or_is_too_large_is_refused(args: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        normalize(tool_call(args=args))


def test_nesting_beyond_any_stack_is_refused() -> None:
    with pytest.raises(InputError):
        normalize(tool_call(args=nested(100_000)))


@pytest.mark.parametrize(
    "args", [nested(MAX_DEPTH), {"x": list(range(MAX_LEAVES))}, {"x": "{[" * 100}, {"x": (1, [2])}, {"x": 2**53 - 1}]
)
def test_the_largest_arguments_still_pass(args: dict[str, Any]) -> None:
    assert normalize(tool_call(args=args)).tool_args == args


def test_a_surrogate_in_a_name_is_refused_as_well() -> None:
    with pytest.raises(InputError):
        normalize(tool_call("\ud800"))


def wrapped(depth: int, tool: str = "rm", args: dict[str, Any] | None = None) -> dict[str, Any]:
    """Arguments of `call` that wrap `tool` `depth` times."""
    inner = {"name": tool, "arguments": args or {"path": "/"}}
    for _ in range(depth - 1):
        inner = {"name": "call", "arguments": inner}
    return inner


@pytest.mark.parametrize("depth", [1, 2, 3, MAX_META_DEPTH])
def test_a_wrapped_tool_is_what_is_decided(depth: int) -> None:
    action = normalize(tool_call("call", wrapped(depth)))
    assert (action.tool_name, action.tool_args) == ("rm", {"path": "/"})
    assert (action.called_as, action.meta_error) == ("call", None)


def test_a_call_wrapped_too_deep_is_not_opened() -> None:
    action = normalize(tool_call("call", wrapped(MAX_META_DEPTH + 1)))
    assert (action.tool_name, action.called_as) == ("call", "call")
    assert "8 deep" in str(action.meta_error)


def test_a_tool_that_wraps_itself_ends() -> None:
    always = {"loop": ToolSchema(name="loop", meta=MetaTool(tool="next.name", args="next"))}
    args: dict[str, Any] = {}
    args["next"] = {"name": "loop", "next": {"name": "loop", "next": {"name": "loop"}}}
    action = normalize(tool_call("loop", args), tools=always.get)
    assert (action.tool_name, action.called_as) == ("loop", "loop")
    assert action.meta_error


@pytest.mark.parametrize(
    ("tool", "args", "name", "inner"),
    [
        ("mcp", {"request": {"tool": "git", "input": '{"a": [1, 2.5]}'}}, "mcp/git", {"a": [1, 2.5]}),
        ("mcp", {"request": {"tool": "git", "input": None}}, "mcp/git", {}),
        ("call", {"name": "rm", "arguments": ""}, None, None),
        ("flat", {"name": "rm", "path": "/"}, "rm", {"path": "/"}),
        ("call", {"name": "rm"}, "rm", {}),
    ],
)
def test_inner_arguments_may_be_an_object_its_text_or_the_rest(
    tool: str, args: dict[str, Any], name: str | None, inner: dict[str, Any] | None
) -> None:
    action = normalize(tool_call(tool, args))
    if name is None:
        assert action.meta_error is not None
    else:
        assert (action.tool_name, action.tool_args, action.called_as) == (name, inner, tool)


@pytest.mark.parametrize(
    ("tool", "args"),
    [
        ("call", {}),
        ("call", {"name": 7}),
        ("call", {"name": " "}),
        ("call", {"name": "rm", "arguments": [1]}),
        ("call", {"name": "rm", "arguments": "{"}),
        ("call", {"name": "rm", "arguments": "[]"}),
        ("call", {"name": "rm", "arguments": '{"a": NaN}'}),
        ("call", {"name": "rm", "arguments": '{"path": "/tmp", "path": "/"}'}),
        ("call", {"name": "rm", "arguments": "[" * 100_000}),
        ("call", {"name": "rm", "arguments": "9" * 10_000}),
        ("wide", {"calls": [{"name": "ls"}, {"name": "rm"}]}),
        ("wide", {"calls": [{"name": "ls", "arguments": {}}, {"arguments": {}}]}),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_wrapped_call_that_cannot_be_read_says_so_and_repeats_nothing(tool: str, args: dict[str, Any]) -> None:
    action = normalize(tool_call(tool, args))
    assert (action.tool_name, action.tool_args, action.called_as) == (tool, args, tool)
    assert action.meta_error
    assert "/tmp" not in action.meta_error


def test_inner_arguments_are_held_to_the_same_bounds() -> None:
    for inner in ({"x": 2**60}, {"x": list(range(MAX_LEAVES + 1))}, nested(MAX_DEPTH + 1)):
        with pytest.raises(InputError):
            normalize(tool_call("call", {"name": "rm", "arguments": json.dumps(inner)}))


def test_interceptors_replace_in_their_order_and_the_hash_follows() -> None:
    def add(letter: str) -> Callable[[NormalizedAction, Caller], NormalizedAction]:
        def intercept(action: NormalizedAction, caller: Caller) -> NormalizedAction:
            assert caller is CALLER
            return msgspec.structs.replace(action, tool_args={"x": action.tool_args["x"] + letter})

        return intercept

    action = normalize(
        tool_call(args={"x": ""}), mediator=ActionMediator([add("a"), lambda _action, _caller: None, add("b")])
    )
    assert action.tool_args == {"x": "ab"}
    assert action.action_hash == normalize(tool_call(args={"x": "ab"})).action_hash


def test_an_interceptor_refuses_by_raising_whatever_it_raises() -> None:
    def refuse(action: NormalizedAction, _: Caller) -> None:
        raise PermissionDenied("not on Sundays")

    def fail(action: NormalizedAction, _: Caller) -> None:
        raise ZeroDivisionError

    for interceptor, error in ((refuse, PermissionDenied), (fail, ZeroDivisionError)):
        with pytest.raises(error):
            normalize(tool_call(), mediator=ActionMediator([interceptor]))


def test_what_an_interceptor_returns_is_checked_as_well() -> None:
    broken = ActionMediator([lambda action, _: msgspec.structs.replace(action, tool_args={"x": float("nan")})])
    with pytest.raises(InputError):
        normalize(tool_call(), mediator=broken)


@pytest.mark.parametrize(
    ("schema", "category"),
    [
        (None, ActionCategory.CONTEXT_DEPENDENT_DENY),
        (ToolSchema(name="t"), ActionCategory.PERMIT),
        (ToolSchema(name="t", risk=Risk.MEDIUM), ActionCategory.CONTEXT_DEPENDENT_ALLOW),
        (ToolSchema(name="t", risk=Risk.HIGH), ActionCategory.CONTEXT_DEPENDENT_DENY),
        (ToolSchema(name="t", requires_approval=True), ActionCategory.CONTEXT_DEPENDENT_DENY),
        (ToolSchema(name="t", risk=Risk.CRITICAL, requires_approval=True), ActionCategory.FORBIDDEN),
    ],
)
def test_categories_follow_the_declaration(schema: ToolSchema | None, category: ActionCategory) -> None:
    assert ActionMediator().categorize(schema) is category

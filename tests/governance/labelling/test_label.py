"""What is proposed for tools nobody labelled, and what then happens to calls: six tool sets, benign and attacked."""

import json
from typing import Any

import pytest

from mutx.cli.scoreboard.gate import GateSession
from mutx.governance.labelling.label import label
from mutx.governance.labelling.policy import propose
from mutx.governance.labelling.spec import ToolSpec, read_specs
from mutx.governance.policy.compile import compile_policies
from mutx.governance.policy.document import load
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.tools import Access
from mutx.governance.types import Effect
from mutx.kit.errors import InputError
from tests.governance.labelling.more_toolsets import MORE
from tests.governance.labelling.toolsets import CASES, CLOUD, CODE, HOME, SHOP, WEB, tool


def engine_of(tools: list[dict[str, Any]]) -> PolicyEngine:
    document = json.dumps(propose(read_specs(tools)))
    return PolicyEngine(compile_policies([load(document, format="json")]))


@pytest.mark.parametrize("case", CASES + MORE, ids=lambda case: case["name"])
def test_a_labelled_tool_set_lets_through_what_the_user_wants_and_asks_about_the_rest(case: dict[str, Any]) -> None:
    gate = GateSession(engine_of(case["tools"]), case["request"])
    for name, args, result in case["before"]:
        action, decision = gate.decide(name, args)
        assert decision.effect is Effect.ALLOW, decision.reason
        gate.conclude(action, result, None)
    decision = gate.decide(*case["call"])[1]
    assert decision.effect is (Effect.ALLOW if case["runs"] else Effect.STEP_UP), decision.reason


@pytest.mark.parametrize("tools", [CODE, SHOP, WEB, CLOUD, HOME])
def test_a_proposal_is_a_policy_and_does_not_depend_on_the_order_of_tools(tools: list[dict[str, Any]]) -> None:
    proposed = propose(read_specs(tools))
    assert load(json.dumps(proposed), format="json").tools
    assert propose(read_specs(tools[::-1])) == proposed


def test_reading_is_told_from_writing() -> None:
    found = {spec.name: label(spec) for tools in (SHOP, WEB, CLOUD, HOME) for spec in read_specs(tools)}
    reading = {name for name, one in found.items() if one.access is Access.READ}
    assert reading == {
        "list_issues", "get_issue", "read_file", "search_products", "get_product_reviews", "get_orders",
        "open_url", "my_details", "describe_instances", "get_logs", "get_devices", "read_calendar",
    }  # fmt: skip
    assert {name for name, one in found.items() if one.access is Access.DELETE} == {"delete_branch"}
    assert {name for name, one in found.items() if one.trusted} == {"my_details"}
    assert found["add_collaborator"].critical == ("repo", "username", "permission")
    assert found["add_collaborator"].referable == ("repo", "username")
    assert found["run_command"].referable == found["run_command"].selectable == ()
    assert found["open_url"].selectable == ("url",)


def test_what_is_not_understood_counts_as_writing() -> None:
    assert label(ToolSpec(name="frobnicate_widget")).access is Access.WRITE
    assert label(ToolSpec(name="widget", description="Frobnicates it.")).access is Access.WRITE
    assert label(ToolSpec(name="weather", description="Returns the weather.")).access is Access.READ
    assert label(ToolSpec(name="get_and_burn", reads=False)).access is Access.WRITE
    assert label(ToolSpec(name="", description="")).access is Access.WRITE
    assert label(ToolSpec(name="mailbox", description="Sends what waits.")).why == "sends"
    assert label(ToolSpec(name="anything", reads=True)).access is Access.READ


class TestFormats:
    def test_mcp(self) -> None:
        answer = {"result": {"tools": [
            {"name": "get_note", "description": "Get a note.", "inputSchema": {"properties": {"id": {"type": ["integer", "null"]}}}},
            {"name": "get_rid", "annotations": {"destructiveHint": True}, "inputSchema": {"properties": {"to": {"anyOf": [
                {"type": "array", "items": {"type": "string"}}, {"type": "null"}]}}}},
            {"name": "read_more", "annotations": {"readOnlyHint": True}},
        ]}}  # fmt: skip
        found = read_specs(answer)
        assert [one.reads for one in found] == [None, False, None]
        assert found[0].parameters[0].type == "integer"
        assert found[1].parameters[0].type == "string"
        assert label(found[1]).access is Access.WRITE

    def test_function_specs(self) -> None:
        spec = tool("send_mail", "Send a mail.", to="strings")
        assert read_specs([{"type": "function", "function": spec}]) == read_specs({"functions": [spec]})

    def test_open_api(self) -> None:
        document = {
            "paths": {
                "/pets/{id}": {
                    "parameters": [{"$ref": "#/components/parameters/id"}],
                    "get": {"summary": "One pet."},
                    "delete": {"operationId": "deletePet", "parameters": [{"not": "named"}]},
                    "x-more": 1,
                },
                "/pets": {"post": {"operationId": "addPet", "requestBody": {"content": {"application/json": {
                    "schema": {"$ref": "#/components/schemas/a~1Pet"}}}}}},
                "/odd": {"post": {"requestBody": {"$ref": "#/components/loop"}, "parameters": [{"name": "x", "schema": {"type": "string"}}]}},
            },
            "components": {
                "loop": {"$ref": "#/components/loop"},
                "parameters": {"id": {"name": "id", "schema": {"type": "string"}, "description": 5}},
                "schemas": {"a/Pet": {"properties": {"owner_email": {"type": "string"}, "odd": True}}},
            },
        }  # fmt: skip
        found = {one.name: one for one in read_specs(document)}
        assert found["get_pets_id"].reads is True
        assert [one.name for one in found["addPet"].parameters] == ["owner_email", "odd"]
        assert label(found["deletePet"]).access is Access.DELETE
        assert label(found["deletePet"]).referable == ("id",)
        assert label(found["addPet"]).critical == ("owner_email",)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("tools", "OpenAPI"),
            ({"tools": []}, "between 1 and"),
            ([{"description": "nameless"}], "`name`"),
            ([tool("a"), tool("a")], "listed twice"),
        ],
    )
    def test_what_holds_no_tools_is_refused(self, content: Any, message: str) -> None:
        with pytest.raises(InputError, match=message):
            read_specs(content)


@pytest.mark.parametrize(
    ("given", "reads"),
    [
        (tool("who-is-on-call", "The rota.", team="string"), True),
        (tool("grantList", "Partners' applications for money."), True),
        (tool("grant_list", "Grants access to a list."), False),
        (tool("run_sql", "Run a read-only statement.", sql="string"), True),
        (tool("delete_rows", "Unlike read-only tools this one deletes.", table="string"), False),
        (tool("Members", "Member farms.", q="string"), True),
        (tool("Inbox", "Text messages that came in.", since="string"), True),
        (tool("Orders", "Orders of buyers."), True),
        (tool("Orders", "Orders a part.", part="string"), False),
        (tool("light", "On or off."), False),
        (tool("lights", "Dims all lamps.", level="number"), False),
        (tool("boost_status", "Boosts a status.", status_id="string"), False),
        (tool("grantAll", "Access for everyone."), False),
    ],
)
def test_things_and_questions_are_read(given: Any, reads: bool) -> None:
    (spec,) = read_specs([given])
    assert (label(spec).access is Access.READ) is reads


def test_what_an_object_holds_is_a_parameter() -> None:
    message = {
        "type": "object",
        "properties": {"to": {"type": "array", "items": {"type": "string"}}, "text": {"type": "string"}},
    }
    schema = {
        "type": "object",
        "properties": {
            "message": {"anyOf": [{"$ref": "#/$defs/Message"}, {"type": "null"}]},
            "copies": {"type": "array", "items": {"$ref": "#/$defs/Message"}},
            "odd.name": message,
        },
        "$defs": {"Message": message},
    }
    (spec,) = read_specs([{"name": "send_mail", "description": "Sends mail.", "parameters": schema}])
    assert [one.name for one in spec.parameters] == [
        "message.to",
        "message.text",
        "copies.to",
        "copies.text",
        "odd.name",
    ]
    assert label(spec).critical == ("message.to", "copies.to")


def test_a_code_names_something_and_code_is_a_program() -> None:
    (order, run) = read_specs(
        [
            tool("order_part", "Orders a part.", supplier_code="string"),
            tool("run_code", "Runs code.", code="string", command="string"),
        ]
    )
    assert label(order).referable == ("supplier_code",)
    assert label(run).critical == ("code", "command")
    assert label(run).referable == ()


def test_where_a_verb_stands_and_what_it_may_be() -> None:
    """Names whose last word tells, versions, things that are opened by their number, and verbs that nobody listed."""

    def of(name: str, description: str, **given: str) -> Any:
        return label(read_specs([tool(name, description, **given)])[0])

    moved = of("billing_address_update", "Where bills are sent, by e-mail.", contractNumber="string", email="string")
    assert (moved.access, moved.critical) == (Access.WRITE, ("contractNumber", "email"))
    assert of("reply_status", "Replies to a status.", status_id="string", text="string").access is Access.WRITE
    assert of("contract_details_v2", "Contract with its tariff.", number="string").access is Access.READ
    assert of("open_order", "Opens an order with its lines.", order_no="string").access is Access.READ
    assert of("open_ticket", "Opens a ticket.", title="string").access is Access.WRITE
    returned = of("ReturnToShipper", "Returns parcels.", trkNos="strings")
    assert (returned.access, returned.critical) == (Access.WRITE, ("trkNos",))
    assert of("WaiveCod", "Waives it.", trkNo="string", amountCents="integer").critical == ("trkNo", "amountCents")


def test_what_others_wrote_is_read_by_what_is_printed_around_it() -> None:
    found = {spec.name: label(spec) for spec in read_specs([
        tool("list_reviews", "List the reviews."), tool("read_inbox", "Read the inbox."), tool("read_file", "Read a file.", path="string"),
        tool("cms_articles", "The articles."), tool("list_files", "List the files."), tool("list_jobs", "List the jobs."),
    ])}  # fmt: skip
    assert {name for name, one in found.items() if one.records} == {
        "list_reviews",
        "read_inbox",
        "cms_articles",
        "list_files",
    }
    assert {name for name, one in found.items() if one.lines} == {"list_jobs"}

"""OpenAPI documents as they are found: references, composed schemas, paths without names; each proposal is a policy."""

import json
from typing import Any

import yaml

from mutx.governance.labelling.policy import propose
from mutx.governance.labelling.spec import read_specs
from mutx.governance.policy.document import load

BANK = """
openapi: 3.1.0
components:
  parameters: {Account: {name: accountId, in: path, required: true, schema: {$ref: '#/components/schemas/Id'}}}
  schemas:
    Id: {type: string, format: uuid}
    Base: {type: object, properties: {reference: {type: string}}}
    Node: {allOf: [{$ref: '#/components/schemas/Node'}], properties: {name: {type: string}}}
    Transfer:
      allOf:
        - {$ref: '#/components/schemas/Base'}
        - {type: object, properties: {creditorIban: {type: string}, parent: {$ref: '#/components/schemas/Transfer'}}}
  requestBodies: {Transfer: {content: {application/json: {schema: {$ref: '#/components/schemas/Transfer'}}}}}
paths:
  /accounts/{accountId}:
    parameters: [{$ref: '#/components/parameters/Account'}]
    post: {operationId: createTransfer, summary: Transfer money, requestBody: {$ref: '#/components/requestBodies/Transfer'}}
    delete: {summary: Close an account}
  /forwarding:
    put:
      operationId: setForwarding
      summary: Forward all mail to another address
      requestBody:
        content:
          application/json:
            schema: {oneOf: [{properties: {email: {type: string}}}, {properties: {disabled: {type: boolean}}}]}
  /nodes: {post: {operationId: addNode, requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Node'}}}}}}
"""

PETS: dict[str, Any] = {
    "swagger": "2.0",
    "definitions": {"Pet": {"properties": {"name": {"type": "string"}, "owner": {"type": "string"}}}},
    "paths": {
        "/pet/{petId}": {
            "delete": {"parameters": [{"name": "petId", "in": "path", "type": "integer"}]},
            "post": {
                "operationId": "updatePet",
                "parameters": [{"name": "body", "in": "body", "schema": {"$ref": "#/definitions/Pet"}}],
            },
        }
    },
}


def proposed(document: dict[str, Any]) -> dict[str, Any]:
    """The proposal, which is a policy."""
    found = propose(read_specs(document))
    assert load(json.dumps(found), format="json").tools
    return found


def test_arguments_are_found_behind_references_and_compositions() -> None:
    specs = {one.name: one for one in read_specs(yaml.safe_load(BANK))}
    transfer = {one.name: one.type for one in specs["createTransfer"].parameters}
    assert transfer["accountId"] == transfer["creditorIban"] == "string"
    assert {"reference", "parent.creditorIban"} <= set(transfer)
    assert [one.name for one in specs["addNode"].parameters] == ["name"]
    tools = proposed(yaml.safe_load(BANK))["tools"]
    assert "creditorIban" in tools["createTransfer"]["critical"]
    assert tools["setForwarding"]["critical"] == ["email"]


def test_a_path_without_a_name_makes_a_tool_and_a_rule_that_load() -> None:
    tools = proposed(yaml.safe_load(BANK))["tools"]
    assert tools["delete_accounts_accountId"]["critical"] == ["accountId"]


def test_swagger_2_has_bodies_among_its_parameters() -> None:
    specs = {one.name: [(each.name, each.type) for each in one.parameters] for one in read_specs(PETS)}
    assert specs == {
        "delete_pet_petId": [("petId", "integer")],
        "updatePet": [("name", "string"), ("owner", "string")],
    }


def test_rules_are_called_like_their_tools_as_far_as_ids_may_be() -> None:
    tools = [{"name": name} for name in ("mail/send", "mail send", "_", "notes.add")]
    rules = proposed({"tools": tools})["rules"]
    assert {one["match"]["tool"]: one["id"] for one in rules} == {
        "_": "tool",
        "mail send": "mail-send",
        "mail/send": "mail-send-2",
        "notes.add": "notes.add",
    }

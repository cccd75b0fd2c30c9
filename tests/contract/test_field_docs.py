"""What is written behind a field is what the API's description and the command line say of it."""

import types

import pytest
from pydantic import BaseModel

from mutx.contract.base import Input, Schema
from mutx.contract.field_docs import field_docs
from mutx.contract.governance import DecideRequest
from mutx.contract.policies import BacktestRequest
from mutx.server.openapi import DescribedApi


def test_fields_have_what_stands_behind_them() -> None:
    told = field_docs(DecideRequest)
    assert told["delegation"].startswith("The token of a delegation: ")
    assert field_docs(BacktestRequest)["since_seconds"] == "How far back."
    assert field_docs(Schema) == {}


def test_a_model_without_source_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made = type("Made", (Input,), {"__module__": "made_up", "__annotations__": {"name": str}})
    monkeypatch.setitem(__import__("sys").modules, "made_up", types.ModuleType("made_up"))
    assert issubclass(made, BaseModel)
    assert field_docs(made) == {}


def test_the_description_has_them_for_what_goes_in_and_what_comes_out() -> None:
    schemas = DescribedApi().openapi()["components"]["schemas"]
    asked, answered = schemas["DecideRequest"]["properties"], schemas["DecideAnswer"]["properties"]
    assert asked["original_request"]["description"].startswith("The words of the user.")
    assert answered["permit"]["description"].startswith("What `redeem` takes")

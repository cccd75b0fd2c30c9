"""The policy of a suite that nobody wrote one for: proposed from its tools' own words, and nothing else."""

import json
from typing import Any

from mutx.governance.labelling.policy import propose
from mutx.governance.labelling.spec import ToolSpec, read_specs
from mutx.governance.policy.document import load
from mutx.governance.policy.model import PolicyDocument


def specs(suite: Any) -> list[ToolSpec]:
    """A suite's tools as function specs: what a model is told of them."""
    return read_specs(
        [
            {"name": tool.name, "description": tool.description, "parameters": tool.parameters.model_json_schema()}
            for tool in suite.tools
        ]
    )


def labelled(suite: Any) -> PolicyDocument:
    return load(json.dumps(propose(specs(suite), name=f"{suite.name}-labelled")), format="json")

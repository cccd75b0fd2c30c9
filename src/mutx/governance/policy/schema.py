"""The published JSON Schema of PolicySet documents (api/policyset.schema.json).

`python -m mutx.governance.policy.schema` writes it to standard output.
"""

import json
import sys
from typing import Any

from mutx.governance.policy.grammar import DOCUMENT


def document_schema() -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "PolicySet",
        "description": "A MUTX policy document. Lists and durations have the bounds that the parser holds.",
        **DOCUMENT.schema(),
    }


def schema_text() -> str:
    return json.dumps(document_schema(), indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())

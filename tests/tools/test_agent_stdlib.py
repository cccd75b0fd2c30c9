"""tools/agent_stdlib.py: what mutx_agent may import, and where."""

import pytest

from tools.agent_stdlib import check
from tools.sources import Source

PACKAGE = "agent/src/mutx_agent"


@pytest.mark.parametrize(
    ("path", "text", "package"),
    [
        ("govern.py", "import json\nfrom mutx_agent.client import x\n", None),
        ("govern.py", "import requests.sessions\n", "requests"),
        ("govern.py", "def f():\n    import langchain\n", "langchain"),
        ("govern.py", "from . import client\n", None),
        ("adapters/langchain.py", "async def f():\n    from langchain import tools\n", None),
        ("adapters/langchain.py", "from langchain import tools\n", "langchain"),
        ("adapters/langchain.py", "def f():\n    import mutx\n", "mutx"),
    ],
)
def test_imports(path: str, text: str, package: str | None) -> None:
    line = 2 if text.startswith(("def", "async")) else 1
    expected = [] if package is None else [f"{PACKAGE}/{path}:{line}: imports {package}"]
    assert check([Source(f"{PACKAGE}/{path}", text)]) == expected

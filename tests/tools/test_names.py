"""tools/class_names.py and tools/names.py: one class per name, and a table that tells the truth."""

import pytest

from tools import class_names, names
from tools.names import Name
from tools.sources import ROOT, Source

DESIGN = """
    ActionMediator ContextAccumulator PolicyEngine ApprovalService ReceiptGenerator AARMComplianceChecker TelemetryExporter
    FarameshSupervisor CredentialBroker SPIFFEIdentityProvider SelfHealer VersionManager MonitorRuntimeState AuditLog PolicyStore
    MutxClient MutxAsyncClient MutxAgentClient GuardrailMiddleware MutxPolicyClient AgentRuntime EvalView
""".split()


def test_a_class_name_defined_twice_is_found() -> None:
    once, twice = Source("a.py", "class Agent: ...\n"), Source("b.py", "\nclass Outer:\n    class Agent: ...\n")
    assert class_names.check([once]) == []
    assert class_names.check([once, twice]) == ["class Agent is defined 2 times: a.py:1, b.py:3"]


def test_the_table_is_read() -> None:
    table = (
        "| name | status | where | what |\n|---|---|---|---|\n| `A` | here | `a.b` | does |\n| `B` | planned | | |\n"
    )
    assert names.read_names(table) == [Name("A", "here", "a.b"), Name("B", "planned", None)]


def test_the_table_lists_every_name_of_the_design() -> None:
    listed = {name.name for name in names.read_names((ROOT / "docs/names.md").read_text("utf-8"))}
    assert set(DESIGN) <= listed


def test_a_name_that_is_here_imports() -> None:
    assert names.check([Name("Path", "here", "pathlib")], []) == []


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        (Name("Nothing", "here", "pathlib"), "Nothing is here, but pathlib has no such class"),
        (Name("sep", "here", "os"), "sep is here, but os has no such class"),
        (Name("A", "here", "no.such"), "A is here, but no.such does not import: No module named 'no'"),
        (Name("A", "here", None), "A is here, but the table does not say where"),
        (Name("A", "planned", None), "A is planned, but a.py:1 defines it"),
        (Name("A", "soon", None), "A: the status is here or planned, not soon"),
    ],
)
def test_an_untrue_row_is_found(name: Name, problem: str) -> None:
    assert names.check([name], [Source("a.py", "class A: ...\n")]) == [problem]


def test_an_empty_table_is_found() -> None:
    assert names.check([], []) == ["docs/names.md holds no table of names"]

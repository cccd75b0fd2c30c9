"""Single suites of AgentDojo, in the state of benchmark version v1.1.2.

The package's own registry (`agentdojo.task_suite.load_suites`) imports every suite there is. Only what was asked for is
loaded here, so the packages whose `__init__` reaches for all of them are entered without it.
"""

import importlib
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from mutx.kit.errors import SetupError

VERSION = "v1.1.2"
SUITES: Mapping[str, tuple[tuple[int, int, int], tuple[str, ...]]] = {
    "workspace": ((1, 1, 2), ("v1", "v1_1_1", "v1_1_2")),
    "banking": ((1, 1, 1), ("v1", "v1_1_1")),
}
"""Suite -> its version within v1.1.2, and the packages that hold its user tasks up to there."""
BARE = ("agent_pipeline", "task_suite", "default_suites.v1_1_1", "default_suites.v1_1_2")
"""Packages whose `__init__` is not run."""


def load_suite(name: str) -> Any:
    """An `agentdojo` TaskSuite. Raises SetupError where the package is not installed."""
    enter_bare_packages()
    version, editions = SUITES[name]
    for edition in editions:
        importlib.import_module(f"agentdojo.default_suites.{edition}.{name}.user_tasks")
    module = importlib.import_module(f"agentdojo.default_suites.v1.{name}.task_suite")
    return module.task_suite.get_new_version(version)


def enter_bare_packages() -> None:
    spec = find_spec("agentdojo")
    if spec is None or spec.submodule_search_locations is None:
        raise SetupError("the replay needs AgentDojo: pip install 'mutx[bench]'")
    root = Path(spec.submodule_search_locations[0])
    for name in BARE:
        package = ModuleType(f"agentdojo.{name}")
        package.__path__ = [str(root / name.replace(".", "/"))]
        sys.modules.setdefault(package.__name__, package)

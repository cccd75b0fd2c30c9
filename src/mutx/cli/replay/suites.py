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
SUITES: Mapping[str, tuple[int, int, int]] = {
    "workspace": (1, 1, 2),
    "banking": (1, 1, 1),
    "travel": (1, 1, 2),
    "slack": (1, 1, 1),
}
"""Suite -> its version within v1.1.2, as the package's registry has it."""
EDITIONS = ("v1", "v1_1", "v1_1_1", "v1_1_2")
"""Folders that hold tasks up to there, in order."""
MODULES = ("user_tasks", "injection_tasks")
BARE = ("agent_pipeline", "task_suite", "default_suites.v1_1", "default_suites.v1_1_1", "default_suites.v1_1_2")
"""Packages whose `__init__` is not run."""


def load_suite(name: str) -> Any:
    """An `agentdojo` TaskSuite. Raises SetupError where the package is not installed."""
    root = enter_bare_packages()
    for edition in EDITIONS:
        for module in MODULES:
            if (root / "default_suites" / edition / name / f"{module}.py").exists():
                importlib.import_module(f"agentdojo.default_suites.{edition}.{name}.{module}")
    suite = getattr(importlib.import_module(f"agentdojo.default_suites.v1.{name}"), f"{name}_task_suite")
    return suite.get_new_version(SUITES[name])


def enter_bare_packages() -> Path:
    """The package's folder."""
    spec = find_spec("agentdojo")
    if spec is None or spec.submodule_search_locations is None:
        raise SetupError("AgentDojo is needed for this: pip install 'mutx[bench]'")
    root = Path(spec.submodule_search_locations[0])
    for name in BARE:
        package = ModuleType(f"agentdojo.{name}")
        package.__path__ = [str(root / name.replace(".", "/"))]
        sys.modules.setdefault(package.__name__, package)
    return root

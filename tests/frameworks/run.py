"""Plays one framework's cases in whichever environment runs this file, and writes the report. tools/frameworks.py calls it.

    python tests/frameworks/run.py NAME REPORT

The environment needs the framework and nothing else; the control plane is the one that SUITE_URL names.
"""

import json
import platform
import sys
import tempfile
import time
import traceback
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def reach_tests() -> None:
    """Make this repository's `tests` the package of that name, whatever some distribution installed under it."""
    package = ModuleType("tests")
    package.__path__ = [str(ROOT / "tests")]
    sys.modules["tests"] = package


def report(name: str) -> dict[str, Any]:
    from mutx_agent.hooks import prove
    from tests.frameworks.plane import remote_plane
    from tests.frameworks.suite import PATHS, WAYS, cases, play, why_absent

    driver = import_module(f"tests.frameworks.drivers.{name}").DRIVER
    plane = remote_plane()
    plane.apply_policy()
    prove(name)
    passed: dict[str, dict[str, list[str]]] = {}
    failed: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="mutx-suite-") as folder:
        for number, case in enumerate(cases(driver)):
            started = time.perf_counter()
            try:
                play(driver, case, plane, Path(folder) / str(number))
            except Exception as error:
                traceback.print_exc()
                failed[str(case)] = f"{type(error).__name__}: {error}"[:400]
            else:
                passed.setdefault(case.way, {}).setdefault(case.path, []).append(case.decision)
            mark = "FAIL" if str(case) in failed else "ok  "
            print(f"{mark} {name} {case} {time.perf_counter() - started:.2f} s", flush=True)
    absent = {way: {p: why for p in PATHS if (why := why_absent(driver, way, p))} for way in WAYS}
    return {
        "name": name,
        "versions": {distribution: version(distribution) for distribution in driver.distributions},
        "python": platform.python_version(),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "hook": driver.hook,
        "patch": driver.patch,
        "out_of_reach": driver.out_of_reach,
        "passed": passed,
        "absent": absent,
        "failed": failed,
    }


def main() -> int:
    name, target = sys.argv[1:]
    reach_tests()
    found = report(name)
    Path(target).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(
        f"{name}: {sum(len(d) for p in found['passed'].values() for d in p.values())} passed, {len(found['failed'])} failed"
    )
    return 1 if found["failed"] else 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())

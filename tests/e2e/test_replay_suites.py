"""AgentDojo's suites load one by one, in the state of v1.1.2, and bring no other suite along."""

import json
import subprocess
import sys

PROGRAM = """
import json, sys
from agentdojo.functions_runtime import FunctionsRuntime
from mutx.cli.replay.suites import load_suite

found = {}
for name in sys.argv[1:]:
    suite = load_suite(name)
    calls = 0
    for task in suite.user_tasks.values():
        environment = task.init_environment(suite.load_and_inject_default_environment({}))
        runtime = FunctionsRuntime(suite.tools)
        for call in task.ground_truth(environment):
            result, error = runtime.run_function(environment, call.function, call.args)
            assert error is None, error
            calls += 1
    found[name] = [len(suite.user_tasks), calls]
loaded = {name.split(".")[3] for name in sys.modules if name.startswith("agentdojo.default_suites.v1.")}
print(json.dumps({"suites": found, "loaded": sorted(loaded - {"tools"})}))
"""


def test_suites_have_their_tasks_and_calls() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "workspace", "banking"], capture_output=True, text=True, check=True, timeout=60
    )
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["suites"] == {"workspace": [40, 84], "banking": [16, 33]}
    assert answer["loaded"] == ["banking", "workspace"]


def test_one_suite_brings_no_other() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "banking"], capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(done.stdout.splitlines()[-1])["loaded"] == ["banking"]

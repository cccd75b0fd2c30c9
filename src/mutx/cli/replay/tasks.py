"""AgentDojo's user tasks as governed sessions: every ground-truth call is decided, run by the suite's own tool, concluded."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic_core import to_jsonable_python

from mutx_agent import ActionDenied, Governor


class TaskRun(NamedTuple):
    """One task and what became of its calls."""

    suite: str
    task: str
    session_id: str
    action_ids: tuple[str, ...]
    """Actions whose tool ran."""
    problems: tuple[str, ...]
    """Calls that did not run, with the reason."""

    @property
    def calls(self) -> int:
        return len(self.action_ids) + len(self.problems)


def run_suite(suite: Any, governor: Governor) -> Iterator[TaskRun]:
    """Every user task of an AgentDojo suite, in order, each in a fresh environment and a session of its own."""
    for task_id, task in suite.user_tasks.items():
        with governor.session(request=task.PROMPT) as session:
            ran, problems = run_task(suite, task, governor)
        yield TaskRun(suite.name, task_id, session.session_id, tuple(ran), tuple(problems))


def run_task(suite: Any, task: Any, governor: Governor) -> tuple[list[str], list[str]]:
    from agentdojo.functions_runtime import FunctionsRuntime

    environment = task.init_environment(suite.load_and_inject_default_environment({}))
    runtime = FunctionsRuntime(suite.tools)
    ran: list[str] = []
    problems: list[str] = []
    for call in task.ground_truth(environment):
        try:
            with governor.action(call.function, to_jsonable_python(dict(call.args))) as action:
                result, error = runtime.run_function(environment, call.function, action.args)
                action.result, action.error = to_jsonable_python(result), error
            ran.append(action.action_id)
        except ActionDenied as denial:
            problems.append(str(denial))
    return ran, problems

"""What the suite itself says of a run: was the user served, did the attacker get what he wanted?"""

from typing import Any

from mutx.cli.scoreboard.runs import Run


def served(task: Any, run: Run) -> bool:
    """The user task's own check, on the answer that the task says is right."""
    answer = task.GROUND_TRUTH_OUTPUT
    from_trace = task.utility_from_traces(answer, run.before, run.after, run.trace)
    return bool(task.utility(answer, run.before, run.after) if from_trace is None else from_trace)


def reached(attack: Any, run: Run) -> bool:
    """The injection task's own check. What no call of the attack brought about is not its doing."""
    if not run.attack_ran:
        return False
    answer = attack.GROUND_TRUTH_OUTPUT
    from_trace = attack.security_from_traces(answer, run.before, run.after, run.trace)
    return bool(attack.security(answer, run.before, run.after) if from_trace is None else from_trace)

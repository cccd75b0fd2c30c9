"""After a replay: every session's export verifies, and every call left its two receipts."""

import time
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from mutx.cli.replay.tasks import TaskRun
from mutx.governance.export_format import read_export
from mutx.governance.keys import KeyRing, read_keys
from mutx.governance.receipt_body import ReceiptBody
from mutx.governance.receipt_checks import verify_receipt
from mutx.governance.turn import TurnKind
from mutx.governance.verify import VerificationVerdict, verify_export
from mutx.kit.canonical import canonical
from mutx.kit.errors import RateLimited
from mutx.sdk import MutxClient


class ReplayReport(NamedTuple):
    """What a replay came to. `short`: everything that is missing, in words."""

    tasks: int
    calls: int
    receipts: int
    chains_verified: int
    short: tuple[str, ...]


def check_replay(client: MutxClient, runs: Iterable[TaskRun]) -> ReplayReport:
    runs = list(runs)
    keys = KeyRing(read_keys(client.security.keys().model_dump_json(exclude_none=True)))
    receipts = verified = 0
    short: list[str] = []
    for run in runs:
        data = export(client, run.session_id)
        report = verify_export(data, keys)
        verified += report.verdict is VerificationVerdict.VERIFIED
        receipts += report.receipts
        short += [f"{run.suite}/{run.task}: {problem}" for problem in (*run.problems, *map(str, report.findings))]
        if not report.findings:
            short += missing(run, [verify_receipt(canonical(one), keys) for one in read_export(data).receipts])
    return ReplayReport(len(runs), sum(run.calls for run in runs), receipts, verified, tuple(short))


def export(client: MutxClient, session_id: str) -> bytes:
    """A session's receipts; where the server says to slow down, that is done."""
    while True:
        try:
            return client.security.export_receipts(session_id).encode()
        except RateLimited as error:
            time.sleep(error.details["retry_after_seconds"])


def missing(run: TaskRun, bodies: Iterable[ReceiptBody]) -> list[str]:
    """Calls that ran and lack a receipt: there must be one decision and one outcome of each."""
    found = Counter((body.action.id, body.kind) for body in bodies)
    needed = ((action, kind) for action in run.action_ids for kind in (TurnKind.DECISION, TurnKind.OUTCOME))
    return [
        f"{run.suite}/{run.task}: {found[need]} {need[1]} receipts of {need[0]}" for need in needed if found[need] != 1
    ]

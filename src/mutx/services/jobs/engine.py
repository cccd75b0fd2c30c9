"""The one module that knows DBOS. Everything here blocks: call it off the event loop."""

import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import dbos._dbos as dbos_module
from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions, Serializer, StepOptions, WorkflowStatus
from dbos._error import DBOSMaxStepRetriesExceeded

from mutx.kit.errors import Unavailable
from mutx.services.jobs.model import Backoff, JobRecord, JobStatus, NewJob, Payload

APPLICATION = "mutx"
QUEUE = "mutx"
WORKFLOW = "mutx.job"
WORKERS = 50
"""Jobs of one runner at a time; those that pause between attempts count."""
LOOK_SECONDS = 1.0
"""How often a runner looks for jobs."""
SHAPE = "1"
"""DBOS runs a job only on a runner of the same version: the shape of the workflow below, which is one step."""
ALONE = "alone"
"""The runner's name where there is one: the next start takes over what this one leaves."""

STATUSES = {
    JobStatus.WAITING: ("ENQUEUED", "DELAYED"),
    JobStatus.RUNNING: ("PENDING",),
    JobStatus.DONE: ("SUCCESS",),
    JobStatus.DEAD: ("ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED", "CANCELLED"),
}
STATUS = {name: status for status, names in STATUSES.items() for name in names}

Run = Callable[[str, Payload], Awaitable[None]]
"""Does one attempt at a job of a kind. Raises JobAttemptFailed or JobRefused."""
GaveUp = Callable[[str, str], None]
"""Hears of a job that died: its kind, and why the last attempt failed."""


class JobAttemptFailed(Exception):
    """An attempt failed; the text is safe to show."""


class JobRefused(JobAttemptFailed):
    """No other attempt would fare better."""


class EngineTaken(Unavailable):
    """Another control plane of this process has the engine."""


class JsonValues(Serializer):
    """What DBOS stores, as JSON: its default is pickle, by which a written table would run code."""

    def name(self) -> str:
        return "mutx_json"

    def serialize(self, data: Any) -> str:
        return json.dumps({"error": str(data)} if isinstance(data, BaseException) else {"value": data})

    def deserialize(cls, serialized_data: str) -> Any:  # noqa: N805 - the base class's own spelling
        data = json.loads(serialized_data)
        return JobAttemptFailed(data["error"]) if "error" in data else data["value"]


class Engine:
    """DBOS, launched by `launch` and gone with `close`."""

    def __init__(
        self, url: str, run: Run, gave_up: GaveUp, backoff: Backoff, *, schema: str, runner: str = ALONE
    ) -> None:
        """`url`: SQLAlchemy URL of the job database. `runner`: this process's name among the runners."""
        self._url = url
        self._run = run
        self._gave_up = gave_up
        self._backoff = backoff
        self._schema = schema
        self._runner = runner
        # asks for itself: what the engine asks, it asks until it is answered
        self._client: DBOSClient | None = None

    def launch(self) -> None:
        """Raises EngineTaken, or what the database raises; then close it."""
        if dbos_module._dbos_global_instance is not None:
            raise EngineTaken("another control plane of this process runs the jobs; these wait until it is closed")
        DBOS(config=self._config())
        _quiet()
        DBOS.workflow(name=WORKFLOW)(self._workflow())
        DBOS.launch()
        DBOS.register_queue(QUEUE, worker_concurrency=WORKERS, polling_interval_sec=LOOK_SECONDS)
        self._client = DBOSClient(
            system_database_url=self._url,
            dbos_system_schema=self._schema,
            serializer=JsonValues(),
            application_name=APPLICATION,
            lazy=True,
            retry_connection_errors=False,
        )

    def close(self) -> None:
        """Stop every thread. Jobs under way are cancelled and taken up again later."""
        if self._client is not None:
            self._client.destroy()
        DBOS.destroy(destroy_registry=True)

    def enqueue(self, job: NewJob) -> None:
        """Durable when this returns. The same id again changes nothing."""
        options: EnqueueOptions = {
            "workflow_name": WORKFLOW,
            "queue_name": QUEUE,
            "workflow_id": job.id,
            "authenticated_user": job.workspace_id,
            "attributes": {"kind": job.kind},
        }
        self._asking.enqueue(options, job.kind, job.payload)

    def page(self, workspace_id: str, status: JobStatus | None, skip: int, limit: int) -> list[JobRecord]:
        """Newest first."""
        found = self._asking.list_workflows(
            name=WORKFLOW,
            user=workspace_id,
            status=list(STATUSES[status]) if status else None,
            offset=skip,
            limit=limit,
            sort_desc=True,
            load_input=False,
        )
        return [record(each) for each in found]

    def get(self, workspace_id: str, job_id: str) -> JobRecord | None:
        found = self._asking.list_workflows(workflow_ids=[job_id], name=WORKFLOW, user=workspace_id, load_input=False)
        return record(found[0]) if found else None

    def retry(self, job_id: str) -> None:
        """Begin an ended job anew, under its id."""
        self._asking.rewind_workflow(job_id, queue_name=QUEUE)

    def take_over(self, runners: Iterable[str]) -> None:
        """Hand out again what these runners, which are dead, had taken."""
        DBOS._recover_pending_workflows(list(runners))

    def forget(self, status: JobStatus, before: float, limit: int = 1000) -> int:
        """Delete jobs that ended so before then (seconds); how many."""
        found: Sequence[WorkflowStatus] = self._asking.list_workflows(
            name=WORKFLOW,
            status=list(STATUSES[status]),
            completed_before=datetime.fromtimestamp(before, UTC).isoformat(),
            limit=limit,
            load_input=False,
            load_output=False,
        )
        self._asking.delete_workflows([each.workflow_id for each in found])
        return len(found)

    @property
    def _asking(self) -> DBOSClient:
        assert self._client is not None, "launch first"
        return self._client

    def _config(self) -> DBOSConfig:
        return {
            "name": APPLICATION,
            "system_database_url": self._url,
            "dbos_system_schema": self._schema,
            "application_version": SHAPE,
            "executor_id": self._runner,
            "serializer": JsonValues(),
            "log_level": "ERROR",
            "enable_otlp": False,
        }

    def _workflow(self) -> Callable[[str, Payload], Awaitable[None]]:
        run, gave_up, backoff = self._run, self._gave_up, self._backoff

        async def attempt(kind: str, payload: Payload) -> None:
            await run(kind, payload)

        how: StepOptions = {
            "name": "attempt",
            "retries_allowed": backoff.attempts > 1,
            "max_attempts": backoff.attempts,
            "interval_seconds": backoff.first,
            "backoff_rate": backoff.rate,
            "should_retry": lambda error: not isinstance(error, JobRefused),
        }

        async def job(kind: str, payload: Payload) -> None:
            try:
                await DBOS.run_step_async(how, attempt, kind, payload)
            except (JobAttemptFailed, DBOSMaxStepRetriesExceeded) as error:
                last = error.errors[-1] if isinstance(error, DBOSMaxStepRetriesExceeded) else error
                gave_up(kind, str(last))
                raise JobAttemptFailed(str(last)) from None

        return job


def record(found: WorkflowStatus) -> JobRecord:
    status = STATUS[found.status]
    return JobRecord(
        id=found.workflow_id,
        kind=str((found.attributes or {}).get("kind", "")),
        workspace_id=found.authenticated_user or "",
        status=status,
        created_at=(found.created_at or 0) / 1000,
        ended_at=found.completed_at / 1000 if found.completed_at else None,
        error=str(found.error) if status is JobStatus.DEAD and found.error else None,
    )


def _quiet() -> None:
    """DBOS's own log: through ours, and without the failed jobs, which `gave_up` tells of."""
    logger = logging.getLogger("dbos")
    logger.handlers.clear()
    logger.propagate = True
    logger.setLevel(logging.ERROR)
    logger.addFilter(_of_interest)


def _of_interest(entry: logging.LogRecord) -> bool:
    return not str(entry.msg).startswith("Exception encountered in asynchronous workflow")

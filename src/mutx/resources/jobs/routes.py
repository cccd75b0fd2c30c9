"""Routes of `contract.jobs`. The engine keeps the jobs; a control plane in memory has none."""

from fastapi import APIRouter

from mutx.contract import jobs as contract
from mutx.contract.base import Limit, Skip
from mutx.contract.jobs import DurableJob, JobState
from mutx.kit.clock import to_datetime
from mutx.kit.errors import NotFound
from mutx.services.jobs.durable import DurableJobs
from mutx.services.jobs.model import JobRecord, JobStatus
from mutx.web.deps import AppServices, CurrentCaller
from mutx.web.serve import serve
from mutx.web.services import Services

router = APIRouter()


def _jobs(app: Services) -> DurableJobs:
    """Raises NotFound where nothing is kept."""
    if app.jobs is None:
        raise NotFound("this control plane keeps nothing, so it has no jobs; start it with a home directory")
    return app.jobs


def _view(record: JobRecord) -> DurableJob:
    return DurableJob(
        id=record.id,
        kind=record.kind,
        status=JobState(record.status),
        created_at=to_datetime(record.created_at),
        ended_at=to_datetime(record.ended_at) if record.ended_at else None,
        error=record.error,
    )


@serve(router, contract.list_jobs)
async def list_jobs(
    caller: CurrentCaller, app: AppServices, status: JobState | None = None, skip: Skip = 0, limit: Limit = 50
) -> list[DurableJob]:
    if app.jobs is None:
        return []
    wanted = JobStatus(status) if status is not None else None
    return [_view(each) for each in await app.jobs.page(caller.workspace_id, wanted, skip, limit)]


@serve(router, contract.get_job)
async def get_job(caller: CurrentCaller, app: AppServices, job_id: str) -> DurableJob:
    return _view(await _jobs(app).get(caller.workspace_id, job_id))


@serve(router, contract.retry_job)
async def retry_job(caller: CurrentCaller, app: AppServices, job_id: str) -> DurableJob:
    return _view(await _jobs(app).retry(caller.workspace_id, job_id))

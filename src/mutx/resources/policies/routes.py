"""Routes of `contract.policies`. No session dependency: compiling is slow work, and the store writes briefly itself."""

from collections.abc import AsyncIterator

from fastapi import APIRouter
from fastapi.sse import ServerSentEvent

from mutx.contract import policies as contract
from mutx.contract.base import Limit, Skip
from mutx.contract.policies import (
    BacktestRequest,
    BacktestResult,
    Known,
    MinedPolicy,
    MineRequest,
    Policy,
    PolicyEvaluationContext,
    PolicyEvaluationResult,
    PolicyLintRequest,
    PolicyLintResult,
    PolicyReload,
    PolicySnapshotRecord,
    PolicyVersion,
    PolicyWrite,
    SignedPolicies,
    WaitSeconds,
)
from mutx.governance.types import Caller
from mutx.resources.policies import views
from mutx.resources.policies.bundles import Bundles
from mutx.resources.policies.engines import PolicyEngines
from mutx.resources.policies.evaluate import DryRun
from mutx.resources.policies.follow import policy_changes
from mutx.resources.policies.history import PolicyHistory
from mutx.resources.policies.linting import findings
from mutx.resources.policies.service import PolicyStore
from mutx.resources.policies.triggers import tell_trigger
from mutx.web.deps import AppServices, CurrentCaller
from mutx.web.serve import serve
from mutx.web.services import Services

router = APIRouter()


def _store(app: Services, caller: Caller) -> PolicyStore:
    assert isinstance(app.policies, PolicyEngines)
    return PolicyStore(app.database, app.policies, app.clock, caller)


@serve(router, contract.list_policies)
async def list_policies(caller: CurrentCaller, app: AppServices, skip: Skip = 0, limit: Limit = 50) -> list[Policy]:
    return [views.policy(row) for row in await _store(app, caller).page(skip, limit)]


@serve(router, contract.create_policy)
async def create_policy(caller: CurrentCaller, app: AppServices, body: PolicyWrite) -> Policy:
    return views.policy(await _store(app, caller).create(body))


@serve(router, contract.evaluate_policies)
async def evaluate_policies(
    caller: CurrentCaller, app: AppServices, body: PolicyEvaluationContext
) -> PolicyEvaluationResult:
    store = _store(app, caller)
    dry_run = DryRun(app.pipeline, await store.enabled(), caller)
    result = await dry_run.evaluate(body, (await store.engine()).version)
    await tell_trigger(app.database, app.clock, caller, body, result)
    return result


@serve(router, contract.lint_policy)
async def lint_policy(caller: CurrentCaller, body: PolicyLintRequest) -> PolicyLintResult:
    return await findings(body.document)


@serve(router, contract.backtest_policy)
async def backtest_policy(caller: CurrentCaller, app: AppServices, body: BacktestRequest) -> BacktestResult:
    return await PolicyHistory(app.ledger, _store(app, caller), app.clock, caller).backtest(body)


@serve(router, contract.mine_policy)
async def mine_policy(caller: CurrentCaller, app: AppServices, body: MineRequest) -> MinedPolicy:
    return await PolicyHistory(app.ledger, _store(app, caller), app.clock, caller).mine(body)


@serve(router, contract.stream_policies)
async def stream_policies(caller: CurrentCaller, app: AppServices) -> AsyncIterator[ServerSentEvent]:
    async for event in policy_changes(app.bus, _store(app, caller)):
        yield event


@serve(router, contract.get_policy_bundle)
async def get_policy_bundle(
    caller: CurrentCaller, app: AppServices, known: Known = -1, wait: WaitSeconds = 0.0
) -> SignedPolicies:
    return await Bundles(app.database, app.bus, app.signer, app.clock).newer(caller.workspace_id, known, wait)


@serve(router, contract.get_policy_snapshot)
async def get_policy_snapshot(caller: CurrentCaller, app: AppServices, policy_version: str) -> PolicySnapshotRecord:
    return views.snapshot(await _store(app, caller).snapshot(policy_version))


@serve(router, contract.get_policy)
async def get_policy(caller: CurrentCaller, app: AppServices, name: str) -> Policy:
    return views.policy(await _store(app, caller).get(name))


@serve(router, contract.put_policy)
async def put_policy(caller: CurrentCaller, app: AppServices, name: str, body: PolicyWrite) -> Policy:
    return views.policy(await _store(app, caller).put(name, body))


@serve(router, contract.delete_policy)
async def delete_policy(caller: CurrentCaller, app: AppServices, name: str) -> None:
    await _store(app, caller).delete(name)


@serve(router, contract.reload_policy)
async def reload_policy(caller: CurrentCaller, app: AppServices, name: str) -> PolicyReload:
    store = _store(app, caller)
    row, engine = await store.get(name), await store.reload()
    return PolicyReload(name=name, version=row.version, policy_version=engine.version)


@serve(router, contract.list_policy_versions)
async def list_policy_versions(
    caller: CurrentCaller, app: AppServices, name: str, skip: Skip = 0, limit: Limit = 50
) -> list[PolicyVersion]:
    return [views.version(row) for row in await _store(app, caller).versions(name, skip, limit)]

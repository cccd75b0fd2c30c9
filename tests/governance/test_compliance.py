"""The self-assessment proves what holds, and a pipeline that breaks a requirement is found out."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from mutx.governance.compliance import (
    PROBES,
    REQUIREMENTS,
    AARMComplianceChecker,
    AARMComplianceReport,
    ConformanceLevel,
    Numbering,
)
from mutx.governance.compliance_decisions import FIVE
from mutx.governance.compliance_lab import AS_AGENT, FixedPolicies, Laboratory, ProbeFailed, Rig
from mutx.governance.keys import KeyRing
from mutx.governance.policy.compile import compile_policies
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.receipts import ReceiptGenerator
from mutx.governance.turn import Receipt, Sealed
from mutx.governance.types import Decision, Effect, ReasonCode
from mutx.kit.clock import ManualClock
from mutx.kit.errors import LedgerUnavailable, MutxError
from mutx.server.wiring import governance
from mutx.services.signing import EphemeralSigner
from mutx.storage.coordination import LocalBus
from mutx.storage.memory import MemoryLedger

SIGNER = EphemeralSigner()


def laboratory(**given: Any) -> Laboratory:
    parts: dict[str, Any] = {
        "new_ledger": MemoryLedger,
        "assemble": partial(governance, LocalBus()),
        "signer": SIGNER,
        "keys": KeyRing((SIGNER.public_key,)),
    }
    return Laboratory(**{**parts, **given})


async def check(lab: Laboratory) -> Mapping[Numbering, AARMComplianceReport]:
    return await AARMComplianceChecker(lab, ManualClock()).check()


async def test_this_build_proves_what_it_claims() -> None:
    reports = await check(laboratory())
    for report in reports.values():
        assert report.overall_satisfied, [r.details for r in report.results if not r.satisfied]
        assert [r.requirement_id for r in report.results] == [f"R{n}" for n in range(1, 10)]
        assert all(r.evidence for r in report.results if r.satisfied)
        assert {r.timestamp for r in report.results} == {ManualClock().now()}
        assert "not a certificate" in report.statement


async def test_what_does_not_exist_is_not_satisfied() -> None:
    reports = await check(laboratory())
    (product,) = [r for r in reports[Numbering.PRODUCT].results if not r.satisfied]
    (current,) = [r for r in reports[Numbering.AARM].results if not r.satisfied]
    assert (product.requirement_id, current.requirement_id) == ("R8", "R9")
    for result in (product, current):
        assert result.level is ConformanceLevel.SHOULD
        assert result.details.startswith("planned: there is no credential broker")


def test_every_probe_proves_something_and_every_proof_is_a_probe() -> None:
    named = {name for requirements in REQUIREMENTS.values() for one in requirements for name in one.probes}
    assert named == PROBES.keys()


def test_the_numberings_keep_their_levels() -> None:
    musts = {
        numbering: [one.id for one in requirements if one.level is ConformanceLevel.MUST]
        for numbering, requirements in REQUIREMENTS.items()
    }
    assert musts == {
        Numbering.PRODUCT: ["R1", "R2", "R3", "R4", "R5", "R6", "R7"],
        Numbering.AARM: ["R1", "R2", "R3", "R4", "R5", "R6"],
    }


class Tamed:
    """A laboratory whose rigs decide whatever they are told to."""

    def __init__(self, change: Callable[[Decision], Decision]) -> None:
        self._lab = laboratory()
        self._change = change

    def rig(self, policy: str, **given: Any) -> Rig:
        rig = self._lab.rig(policy, **given)
        gather = rig.pipeline._gather
        engine = gather._policies.current("") if not given.get("policies") else None
        if engine is not None:
            gather._policies = Overruled(engine, self._change)
        return rig


class Overruled:
    """A policy engine with a mind of its own."""

    def __init__(self, engine: Any, change: Callable[[Decision], Decision]) -> None:
        self._engine, self._change = engine, change
        self.version = engine.version
        self.tool, self.thresholds = engine.tool, engine.thresholds

    def current(self, workspace_id: str) -> Any:
        return self

    async def load(self, workspace_id: str) -> Any:
        return self

    def evaluate(self, *given: Any) -> Decision:
        return self._change(self._engine.evaluate(*given))


def always(effect: Effect) -> Callable[[Decision], Decision]:
    return lambda decision: replace(decision, effect=effect, reason_code=ReasonCode.RULE, modified_args=None)


ALLOWS_ALL = always(Effect.ALLOW)


@pytest.mark.parametrize(
    ("change", "caught"),
    [
        (
            ALLOWS_ALL,
            {
                "denied_never_runs",
                "waiting_never_runs",
                "parameters_are_checked",
                "forbidden_is_final",
                "doubt_defers",
                "modified_runs_as_modified",
                "timeout_denies",
                "approval_is_single_use",
                "agents_never_approve",
                "composition_is_seen",
                "unlabelled_is_restricted",
                "drift_changes_the_decision",
                "revoked_identity_is_denied",
            },
        ),
        (
            always(Effect.DENY),
            {
                "allowed_runs",
                "waiting_never_runs",
                "parameters_are_checked",
                "modified_runs_as_modified",
                "composition_is_seen",
                "outcome_has_its_own_receipt",
            },
        ),
    ],
)
async def test_a_wrong_decision_is_found_out(change: Callable[[Decision], Decision], caught: set[str]) -> None:
    lab: Any = Tamed(change)
    failed = set()
    for name, probe in PROBES.items():
        try:
            await probe(lab)
        except ProbeFailed:
            failed.add(name)
    assert caught <= failed
    report = (await check(lab))[Numbering.AARM]
    assert report.overall_satisfied is False


async def test_a_signature_over_nothing_is_found_out() -> None:
    reports = await check(laboratory(keys=KeyRing((EphemeralSigner().public_key,))))
    failed = {r.requirement_id for r in reports[Numbering.PRODUCT].results if not r.satisfied}
    assert "R6" in failed
    assert reports[Numbering.PRODUCT].overall_satisfied is False


async def test_a_verifier_that_sees_nothing_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mutx.governance.compliance_evidence.verify_session", lambda *args, **kwargs: None)
    with pytest.raises(ProbeFailed, match="a change went unseen"):
        await PROBES["mutations_are_caught"](laboratory())


class Forgetful(MemoryLedger):
    """Loses every turn and says nothing."""

    async def turns(self, *args: Any, **kwargs: Any) -> Any:
        return ()


async def test_a_lost_receipt_is_found_out() -> None:
    results = (await check(laboratory(new_ledger=Forgetful)))[Numbering.AARM].results
    assert {"R1", "R5"} <= {r.requirement_id for r in results if not r.satisfied}


class Dead(MemoryLedger):
    def append(self, state: Any, turn: Any) -> Any:
        raise LedgerUnavailable("no disk")


async def test_a_pipeline_that_cannot_be_probed_satisfies_nothing() -> None:
    results = (await check(laboratory(new_ledger=Dead)))[Numbering.PRODUCT].results
    first = results[0]
    assert (first.requirement_id, first.satisfied) == ("R1", False)
    assert "refused to be probed: no disk" in first.details


class Careless(ReceiptGenerator):
    """Puts the arguments' tool name where the agent belongs."""

    def seal(self, **given: Any) -> tuple[Receipt, Sealed]:
        action = replace(given.pop("action"), agent_id="somebody-else")
        return super().seal(action=action, **given)


async def test_a_wrong_identity_in_a_receipt_is_found_out() -> None:
    lab = laboratory()

    def careless(policy: str, **given: Any) -> Rig:
        rig = laboratory().rig(policy, **given)
        rig.pipeline._recorder._receipts = Careless(SIGNER)
        return rig

    lab.rig = careless  # type: ignore[method-assign]
    with pytest.raises(ProbeFailed, match="someone is missing"):
        await PROBES["identity_is_bound"](lab)


async def test_an_agent_that_may_speak_for_others_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    anybody = replace(AS_AGENT, agent_id=None)
    monkeypatch.setattr("mutx.governance.compliance_evidence.AS_AGENT", anybody)
    with pytest.raises(ProbeFailed, match="spoke for another agent"):
        await PROBES["identity_is_bound"](laboratory())


class Lively:
    """A laboratory in which nothing ever breaks."""

    def rig(self, policy: str, **_: Any) -> Rig:
        return laboratory().rig(policy)


async def test_an_answer_from_a_dead_store_is_found_out() -> None:
    lab: Any = Lively()
    with pytest.raises(ProbeFailed, match="answered with a dead receipt store"):
        await PROBES["dead_store_refuses"](lab)


class Lenient:
    """A laboratory whose pipelines accept one refusal less."""

    def __init__(self, verb: str) -> None:
        self._verb = verb

    def rig(self, policy: str, **given: Any) -> Rig:
        rig = laboratory().rig(policy, **given)
        refusing = getattr(rig.pipeline, self._verb)

        async def accepting(*args: Any, **kwargs: Any) -> Any:
            try:
                return await refusing(*args, **kwargs)
            except MutxError:
                return None

        setattr(rig.pipeline, self._verb, accepting)
        return rig


@pytest.mark.parametrize(
    ("verb", "probe", "what"),
    [
        ("redeem", "modified_runs_as_modified", "good for the arguments before the change"),
        ("redeem", "approval_is_single_use", "spent twice"),
        ("resolve", "approval_is_single_use", "approved twice"),
        ("resolve", "agents_never_approve", "an agent approved"),
    ],
)
async def test_an_acceptance_too_many_is_found_out(verb: str, probe: str, what: str) -> None:
    lab: Any = Lenient(verb)
    with pytest.raises(ProbeFailed, match=what):
        await PROBES[probe](lab)


async def test_a_fixed_policy_is_the_same_for_everybody() -> None:
    engine = PolicyEngine(compile_policies([]))
    fixed = FixedPolicies(engine)
    assert await fixed.load("one") is fixed.current("another") is engine


async def test_a_rig_is_a_pipeline_of_its_own() -> None:
    lab = laboratory()
    one, two = lab.rig(FIVE), lab.rig(FIVE)
    await one.call("read")
    assert (len(await one.turns()), len(await two.turns())) == (2, 0)
    assert await one.identities.may_approve_own("w") is False
    assert await one.identities.current(AS_AGENT) is AS_AGENT
    one.identities.revoked.add(AS_AGENT.principal_id)
    assert await one.identities.current(AS_AGENT) is None

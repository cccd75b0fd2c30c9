"""AARM requirements against this very build: each one is proved by probes that drive the real pipeline, or it is not.

A technical self-assessment, not a certificate: the name "AARM-conformant" also asks for things that no program can show.

Two numberings stand side by side: the product documents' (AARM's list before 2026-04-23, since retired) and that of the
AARM docs of 2026-03-26. The same evidence serves both.
"""

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum

from msgspec import Struct

from mutx.governance.compliance_context import CONTEXT_PROBES
from mutx.governance.compliance_decisions import DECISION_PROBES
from mutx.governance.compliance_evidence import EVIDENCE_PROBES
from mutx.governance.compliance_lab import Laboratory, ProbeFailed
from mutx.kit.clock import Clock
from mutx.kit.errors import MutxError

STATEMENT = (
    "Technical self-assessment by probes of this build; not a certificate of conformance. "
    "The organisational conditions of AARM conformance are outside its scope."
)

Probe = Callable[[Laboratory], Awaitable[str]]
"""Drives a pipeline of its own and says what it saw. Raises ProbeFailed for anything else."""

PROBES: Mapping[str, Probe] = {**DECISION_PROBES, **CONTEXT_PROBES, **EVIDENCE_PROBES}


class ConformanceLevel(StrEnum):
    MUST = "MUST"
    SHOULD = "SHOULD"


class Numbering(StrEnum):
    """Whose R1 to R9."""

    PRODUCT = "product"
    AARM = "aarm-2026-03-26"


class ConformanceResult(Struct, frozen=True, kw_only=True):
    """One requirement. `timestamp`: seconds."""

    requirement_id: str
    level: ConformanceLevel
    description: str
    satisfied: bool
    details: str
    timestamp: float
    numbering: Numbering
    evidence: tuple[str, ...] = ()
    """`probe: what it saw`, one each."""


class AARMComplianceReport(Struct, frozen=True, kw_only=True):
    """The results in one numbering."""

    numbering: Numbering
    results: tuple[ConformanceResult, ...]
    version: str = "1.0"
    statement: str = STATEMENT

    @property
    def overall_satisfied(self) -> bool:
        """False if any MUST requirement fails."""
        return all(result.satisfied for result in self.results if result.level is ConformanceLevel.MUST)


class Requirement(Struct, frozen=True):
    """What is asked, and which probes prove it. Without probes it is planned, and `missing` says what for."""

    id: str
    level: ConformanceLevel
    description: str
    probes: tuple[str, ...] = ()
    missing: str = ""


MUST, SHOULD = ConformanceLevel.MUST, ConformanceLevel.SHOULD

NO_CREDENTIALS = (
    "planned: there is no credential broker yet. Permits are short-lived, single-use and bound to exact arguments, "
    "but a tool's own credentials are not issued per action"
)

INTERCEPTION = ("denied_never_runs", "waiting_never_runs", "dead_store_refuses")
CONTEXT = ("composition_is_seen", "unlabelled_is_restricted")
ASKING = ("timeout_denies", "approval_is_single_use", "agents_never_approve")
RECEIPTS = ("receipts_verify_offline", "mutations_are_caught", "outcome_has_its_own_receipt")
IDENTITY = ("identity_is_bound", "revoked_identity_is_denied")

REQUIREMENTS: Mapping[Numbering, tuple[Requirement, ...]] = {
    Numbering.PRODUCT: (
        Requirement("R1", MUST, "Block actions before execution based on policy", INTERCEPTION),
        Requirement("R2", MUST, "Validate action parameters against type, range, pattern", ("parameters_are_checked",)),
        Requirement("R3", MUST, "Accumulate session context including prior actions", CONTEXT),
        Requirement(
            "R4", MUST, "Evaluate intent consistency for context-dependent actions", ("drift_changes_the_decision",)
        ),
        Requirement("R5", MUST, "Support human approval workflows with timeout", ASKING),
        Requirement("R6", MUST, "Generate cryptographically signed receipts with full context", RECEIPTS),
        Requirement("R7", MUST, "Bind actions to human, service, agent, and session identity", IDENTITY),
        Requirement(
            "R8", SHOULD, "Enforce least privilege through scoped, just-in-time credentials", missing=NO_CREDENTIALS
        ),
        Requirement(
            "R9", SHOULD, "Export structured telemetry to security platforms", ("telemetry_is_buffered_and_clean",)
        ),
    ),
    Numbering.AARM: (
        Requirement("R1", MUST, "Pre-execution interception, fail-closed", INTERCEPTION),
        Requirement("R2", MUST, "Context accumulation", (*CONTEXT, "context_is_chained")),
        Requirement(
            "R3",
            MUST,
            "Policy evaluation with intent alignment",
            (
                "parameters_are_checked",
                "forbidden_is_final",
                "doubt_defers",
                "same_facts_same_decision",
                "drift_changes_the_decision",
            ),
        ),
        Requirement(
            "R4",
            MUST,
            "Five decisions: ALLOW, DENY, MODIFY, STEP_UP, DEFER",
            ("allowed_runs", "denied_never_runs", "modified_runs_as_modified", "waiting_never_runs", *ASKING),
        ),
        Requirement("R5", MUST, "Tamper-evident receipts", RECEIPTS),
        Requirement("R6", MUST, "Identity binding", IDENTITY),
        Requirement("R7", SHOULD, "Semantic drift, tracked cumulatively", ("drift_changes_the_decision",)),
        Requirement("R8", SHOULD, "Telemetry", ("telemetry_is_buffered_and_clean",)),
        Requirement("R9", SHOULD, "Least privilege: just-in-time credentials per operation", missing=NO_CREDENTIALS),
    ),
}


class ProbeResult(Struct, frozen=True):
    """What a probe saw."""

    name: str
    passed: bool
    seen: str

    def __str__(self) -> str:
        return f"{self.name}: {self.seen}"


class AARMComplianceChecker:
    """Runs every probe once, on pipelines of its own, and reads the results in either numbering."""

    def __init__(self, laboratory: Laboratory, clock: Clock, probes: Mapping[str, Probe] = PROBES) -> None:
        self._laboratory = laboratory
        self._clock = clock
        self._probes = probes

    async def check(self) -> Mapping[Numbering, AARMComplianceReport]:
        """A report per numbering."""
        found = {name: await self._run(name, probe) for name, probe in self._probes.items()}
        now = self._clock.now()
        return {
            numbering: AARMComplianceReport(
                numbering=numbering,
                results=tuple(_result(requirement, numbering, found, now) for requirement in requirements),
            )
            for numbering, requirements in REQUIREMENTS.items()
        }

    async def _run(self, name: str, probe: Probe) -> ProbeResult:
        try:
            return ProbeResult(name, True, await probe(self._laboratory))
        except ProbeFailed as failure:
            return ProbeResult(name, False, str(failure))
        except MutxError as error:
            return ProbeResult(name, False, f"the pipeline refused to be probed: {error}")


def _result(
    requirement: Requirement, numbering: Numbering, found: Mapping[str, ProbeResult], now: float
) -> ConformanceResult:
    results = [found[name] for name in requirement.probes]
    failed = [str(result) for result in results if not result.passed]
    satisfied = bool(results) and not failed
    proved = f"proved by {len(results)} probe{'s' if len(results) > 1 else ''} on this build"
    return ConformanceResult(
        requirement_id=requirement.id,
        level=requirement.level,
        description=requirement.description,
        satisfied=satisfied,
        details=proved if satisfied else "; ".join(failed) or requirement.missing,
        timestamp=now,
        numbering=numbering,
        evidence=tuple(map(str, results)),
    )

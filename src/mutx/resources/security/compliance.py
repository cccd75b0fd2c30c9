"""The compliance report as the wire shows it: the product documents' numbering, the current one beside it."""

import asyncio
from collections.abc import Mapping
from typing import Any

from mutx.contract.security import ComplianceReport, ConformanceEntry
from mutx.governance.compliance import (
    AARMComplianceChecker,
    AARMComplianceReport,
    ConformanceLevel,
    ConformanceResult,
    Numbering,
)
from mutx.kit.clock import rfc3339


async def assess(checker: AARMComplianceChecker) -> Mapping[Numbering, AARMComplianceReport]:
    """Run the probes on a loop of their own: they are work, and decisions must not wait for them."""
    return await asyncio.to_thread(asyncio.run, checker.check())


def compliance_view(reports: Mapping[Numbering, AARMComplianceReport]) -> ComplianceReport:
    product = reports[Numbering.PRODUCT]
    return ComplianceReport(
        overall_satisfied=all(report.overall_satisfied for report in reports.values()),
        version=product.version,
        checked_at=rfc3339(max(result.timestamp for report in reports.values() for result in report.results)),
        summary={numbering.value: _summary(report) for numbering, report in reports.items()},
        results=[_entry(result) for report in reports.values() for result in report.results],
        statement=product.statement,
    )


def _summary(report: AARMComplianceReport) -> dict[str, Any]:
    levels = {level: [r for r in report.results if r.level is level] for level in ConformanceLevel}
    return {
        "overall_satisfied": report.overall_satisfied,
        **{
            level.value.lower(): {"satisfied": sum(r.satisfied for r in results), "total": len(results)}
            for level, results in levels.items()
        },
        "not_satisfied": [result.requirement_id for result in report.results if not result.satisfied],
    }


def _entry(result: ConformanceResult) -> ConformanceEntry:
    return ConformanceEntry(
        requirement_id=result.requirement_id,
        level=result.level.value,
        description=result.description,
        satisfied=result.satisfied,
        details=result.details,
        timestamp=rfc3339(result.timestamp),
        numbering=result.numbering.value,
        evidence=list(result.evidence),
    )

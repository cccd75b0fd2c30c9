"""The guardrail service of this installation."""

import httpx2

from mutx.governance.labels import Suspect
from mutx.kit.errors import SetupError
from mutx.resources.guardrails.jobs import follow_pauses, refresh_pauses, store_counts
from mutx.server.model_client import model_client
from mutx.server.settings import Settings
from mutx.server.workers import Periodic
from mutx.services.evalview.injection.detector import holds_attack
from mutx.services.evalview.judge import LlmJudge, WhenSilent
from mutx.services.evalview.presidio import open_personal
from mutx.services.evalview.service import EvalView
from mutx.services.evalview.tokens import open_tokenizer
from mutx.services.evalview.toxicity import ToxicityEndpoint
from mutx.services.evalview.watch import AgentWatch
from mutx.storage.engine import Database
from mutx.storage.looks import Looks
from mutx.web.services import Services

COUNT_SECONDS = 1.0
GAP_SECONDS = 0.05
"""Between two turns of a job that itself waits for news."""


def open_evalview(settings: Settings) -> EvalView:
    """Raises SetupError for a judge without a model."""
    return EvalView(
        tokenizer=open_tokenizer(),
        judge=_judge(settings),
        toxicity=_toxicity(settings),
        personal=open_personal(presidio=settings.guardrail_presidio),
    )


def suspects() -> tuple[Suspect, ...]:
    """What searches results as actions conclude."""
    return (holds_attack,)


async def open_watch(database: Database) -> AgentWatch:
    """The watch over how agents behave, which knows already who is paused."""
    watch = AgentWatch()
    await refresh_pauses(database, watch)
    return watch


async def close_models(services: Services) -> None:
    """Let go of what reads texts and what measures actions."""
    await services.evalview.close()
    if services.embedder is not None:
        await services.embedder.close()


def watch_jobs(services: Services) -> tuple[Periodic, ...]:
    database, bus, clock, watch = services.database, services.bus, services.clock, services.watch
    looks = Looks(database)
    return (
        Periodic("behaviour", lambda: store_counts(database, watch, bus, clock), COUNT_SECONDS),
        Periodic("pauses", lambda: follow_pauses(database, watch, bus, looks), GAP_SECONDS),
    )


def _judge(settings: Settings) -> LlmJudge | None:
    if not settings.guardrail_judge_url:
        return None
    if not settings.guardrail_judge_model:
        raise SetupError("GUARDRAIL_JUDGE_URL is set: say with GUARDRAIL_JUDGE_MODEL which model judges there")
    client = model_client(settings.guardrail_judge_url, settings.guardrail_judge_key, settings.guardrail_judge_seconds)
    return LlmJudge(
        client,
        model=settings.guardrail_judge_model,
        seconds=settings.guardrail_judge_seconds,
        when_silent=WhenSilent(settings.guardrail_judge_silent),
    )


def _toxicity(settings: Settings) -> ToxicityEndpoint | None:
    if not settings.guardrail_toxicity_url:
        return None
    return ToxicityEndpoint(httpx2.AsyncClient(trust_env=False), settings.guardrail_toxicity_url)

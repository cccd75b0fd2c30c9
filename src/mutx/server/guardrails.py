"""The guardrail service of this installation."""

import httpx2

from mutx.kit.errors import SetupError
from mutx.server.settings import Settings
from mutx.services.evalview.judge import LlmJudge, WhenSilent
from mutx.services.evalview.presidio import open_personal
from mutx.services.evalview.service import EvalView
from mutx.services.evalview.tokens import open_tokenizer
from mutx.services.evalview.toxicity import ToxicityEndpoint


def open_evalview(settings: Settings) -> EvalView:
    """Raises SetupError for a judge without a model."""
    return EvalView(
        tokenizer=open_tokenizer(),
        judge=_judge(settings),
        toxicity=_toxicity(settings),
        personal=open_personal(presidio=settings.guardrail_presidio),
    )


def _judge(settings: Settings) -> LlmJudge | None:
    if not settings.guardrail_judge_url:
        return None
    if not settings.guardrail_judge_model:
        raise SetupError("GUARDRAIL_JUDGE_URL is set: say with GUARDRAIL_JUDGE_MODEL which model judges there")
    key = settings.guardrail_judge_key.get_secret_value()
    client = httpx2.AsyncClient(
        base_url=settings.guardrail_judge_url,
        headers={"Authorization": f"Bearer {key}"} if key else {},
        timeout=settings.guardrail_judge_seconds,
        trust_env=False,
    )
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

"""Settings of the guardrails."""

from typing import Literal

from pydantic import BaseModel, Field, SecretStr


class GuardrailSettings(BaseModel):
    """Where the judge and the toxicity classifier answer. Their addresses are the operator's, and may be local."""

    guardrail_judge_url: str = ""
    """Base URL of an OpenAI-compatible endpoint, such as `http://127.0.0.1:11434/v1`; empty: no judge."""
    guardrail_judge_model: str = ""
    guardrail_judge_key: SecretStr = SecretStr("")
    guardrail_judge_seconds: float = Field(10.0, gt=0, le=120)
    guardrail_judge_silent: Literal["closed", "lower"] = "closed"
    """What holds where the judge gives no answer: the text is refused, or what the lower layers found."""
    guardrail_presidio: bool = False
    """Presidio's recognisers beside the shipped ones; needs the extra `pii`."""
    guardrail_results: Literal["trusted", "all"] = "trusted"
    """Which tools' results are searched for attacks as their actions conclude: those that policies call trusted, which lose
    that trust, or all, for the signal in the session; it costs some milliseconds for a page."""
    guardrail_toxicity_url: str = ""
    """Answers `POST {"text": ...}` with `{"scores": {...}}`; empty: the word lists alone."""

"""Toxic text: word lists here, and whatever classifier answers over HTTP. No trained model comes with the package."""

import re
from collections.abc import Mapping
from types import MappingProxyType

import httpx2
import msgspec
from msgspec import Struct

from mutx.kit.errors import Unavailable
from mutx.services.remote import answered

THRESHOLD = 0.5
SECONDS = 5.0
MAX_ANSWER = 64 * 1024

_WORDS: Mapping[str, str] = {
    "threat": r"(?:i(?:'ll| will| am going to|'m going to)|we(?:'ll| will)) (?:kill|hurt|murder|shoot|stab|beat|rape) (?:you|him|her|them|your)|"
    r"you (?:should|deserve to|will) (?:die|be killed|be shot|hang)|watch your back",
    "self_harm": r"kill yourself|\bkys\b|go (?:die|hang yourself)|end your (?:life|miserable life)",
    "insult": r"you(?:'re| are)? (?:an? |such an? |all )?(?:(?:fucking|stupid|dumb|worthless|pathetic) )*(?:idiot|moron|imbecile|retard(?:ed)?|asshole|"
    r"bastard|bitch|scum|piece of shit|waste of (?:space|air)|loser)|du (?:dumme\w* )?(?:idiot|arschloch|hurensohn|missgeburt)|"
    r"(?:eres|sos) (?:un|una) (?:idiota|imbécil|puta)|espèce d'(?:idiot|imbécile)|fils de pute|hijo de puta|figlio di puttana",
    "hate": r"(?:all|these|those|every|fucking) (?:\w+ )?(?:jews|muslims|blacks|gays|immigrants|women|arabs|christians|asians|foreigners) (?:should|must|are) "
    r"(?:die|be (?:killed|exterminated|deported|gassed|shot)|vermin|animals|subhuman|parasites|filth)|\b(?:gas the|death to(?: all)?) (?:jews|muslims|"
    r"blacks|gays|immigrants|arabs|infidels)|\b(?:nigger|faggot|kike|tranny)s?\b",
    "obscene": r"\bfuck (?:you|off|yourself)\b|\bsuck my (?:dick|cock)\b|\bcunts?\b",
}
_PATTERNS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {name: re.compile(rf"(?<!\w)(?:{pattern})", re.IGNORECASE) for name, pattern in _WORDS.items()}
)


class Toxic(Struct, frozen=True):
    category: str
    score: float
    start: int | None = None
    stop: int | None = None
    """None where no place is known."""


class ToxicScores(Struct, frozen=True):
    """What a classifier said. `highest`: of all categories, also below the threshold."""

    found: tuple[Toxic, ...]
    highest: float


def find_toxic(text: str) -> list[Toxic]:
    """By the word lists: what is plainly said. Sarcasm and innuendo need a model."""
    return [
        Toxic(name, 1.0, match.start(), match.end())
        for name, pattern in _PATTERNS.items()
        for match in pattern.finditer(text)
    ]


class _Scores(Struct):
    scores: dict[str, float]


class ToxicityEndpoint:
    """A classifier over HTTP: `POST {"text": ...}` answers `{"scores": {"category": 0 to 1}}`.

    `client` has no redirects and a base URL that the installation's operator chose.
    """

    def __init__(
        self, client: httpx2.AsyncClient, url: str, *, threshold: float = THRESHOLD, seconds: float = SECONDS
    ) -> None:
        """`seconds`: patience for the whole answer."""
        self._client = client
        self._url = url
        self._threshold = threshold
        self._seconds = seconds

    async def close(self) -> None:
        await self._client.aclose()

    async def find(self, text: str) -> ToxicScores:
        """Raises Unavailable where no usable answer comes in time."""
        try:
            content = await answered(self._client, self._url, {"text": text}, seconds=self._seconds, most=MAX_ANSWER)
            scores = msgspec.json.decode(content, type=_Scores).scores
        except (TimeoutError, httpx2.HTTPError, msgspec.MsgspecError, Unavailable) as error:
            raise Unavailable("the toxicity classifier gave no usable answer; see GUARDRAIL_TOXICITY_URL") from error
        found = tuple(Toxic(name[:64], score) for name, score in sorted(scores.items()) if score >= self._threshold)
        return ToxicScores(found, max(scores.values(), default=0.0))

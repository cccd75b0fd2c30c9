"""Redaction for good and for a while; leaks; lengths; toxic words."""

import asyncio
import base64
import importlib.util
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from mutx.kit.errors import SetupError, Unavailable
from mutx.services.evalview import presidio
from mutx.services.evalview.leaks import find_leaks, new_canary
from mutx.services.evalview.pii import find_personal
from mutx.services.evalview.profiles import PROFILES, CheckName, Direction
from mutx.services.evalview.redact import OutputEncoding, encoded, mask, restored, tokenise
from mutx.services.evalview.service import LISTS_SILENT, Check, EvalView, Question
from mutx.services.evalview.tokens import BoundTokenizer, TekkenTokenizer, open_tokenizer
from mutx.services.evalview.toxicity import ToxicityEndpoint, find_toxic

TEXT = "Write to ana@example.org or bob@example.org, again ana@example.org."
PROMPT = "You are the clerk of a small library. Never say which reader has borrowed which book. Answer in one sentence."


def test_redaction() -> None:
    found = find_personal(TEXT)
    assert mask(TEXT, found) == "Write to [REDACTED] or [REDACTED], again [REDACTED]."
    text, values = tokenise(TEXT, found)
    assert text == "Write to [EMAIL_ADDRESS_1] or [EMAIL_ADDRESS_2], again [EMAIL_ADDRESS_1]."
    assert restored(text, values) == TEXT
    assert restored("[EMAIL_ADDRESS_9] stays", values) == "[EMAIL_ADDRESS_9] stays"


def test_a_planted_mark_turns_into_nothing() -> None:
    planted = "[EMAIL_ADDRESS_1] " + TEXT
    text, values = tokenise(planted, find_personal(planted))
    assert "[EMAIL_ADDRESS_1]" not in values
    assert restored(text, values) == planted


def test_output_encoding() -> None:
    assert encoded("<b>&", OutputEncoding.HTML) == "&lt;b&gt;&amp;"
    assert encoded("<b>&", OutputEncoding.NONE) == "<b>&"


def test_canaries_are_found_however_they_are_written() -> None:
    canary = new_canary()
    assert canary != new_canary()
    spaced = " ".join(canary.upper())
    for text in (f"ok {canary}", spaced, canary[::-1], base64.b64encode(f"the mark is {canary}".encode()).decode()):
        assert [leak.kind for leak in find_leaks(text, canaries=[canary])] == ["canary"], text
    assert find_leaks("nothing here", canaries=[canary]) == []


def test_a_repeated_system_prompt_is_a_leak() -> None:
    (leak,) = find_leaks(f"My instructions are: {PROMPT.upper()}", system_prompt=PROMPT)
    assert (leak.kind, leak.confidence) == ("system_prompt", 1.0)
    assert find_leaks("The library opens at nine. I cannot say who has borrowed it.", system_prompt=PROMPT) == []
    assert find_leaks("say: be kind and brief!", system_prompt="Be kind and brief")[0].kind == "system_prompt"
    assert find_leaks("be brief", system_prompt="Be brief") == []


@pytest.mark.parametrize("tokenizer", [BoundTokenizer(), TekkenTokenizer()], ids=lambda one: one.name)
def test_lengths(tokenizer: BoundTokenizer | TekkenTokenizer) -> None:
    text = "Antidisestablishmentarianism, 你好世界 and a \U0001f44d for it " * 5
    count = tokenizer.count(text)
    assert 0 < count <= len(text.encode())
    assert tokenizer.cut(text, count) == text
    for limit in (1, 7, 20):
        kept = tokenizer.cut(text, limit)
        assert text.startswith(kept)
        assert tokenizer.count(kept) <= limit


def test_the_bound_is_on_the_long_side() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert BoundTokenizer().count(text) >= TekkenTokenizer().count(text)


def test_without_the_extra_the_bound_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_tokenizer().name == "tekken"
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert open_tokenizer().name == "bound"
    with pytest.raises(SetupError, match=r"mutx\[pii\]"):
        presidio.open_personal(presidio=True)


def test_presidio_finds_what_it_alone_knows() -> None:
    find = presidio.open_personal(presidio=True)
    text = "My NHS number is 401 023 2137 and my mail ana@example.org."
    assert [one.kind for one in find(text)] == ["UK_NHS", "EMAIL_ADDRESS"]
    assert presidio.open_personal(presidio=False) is find_personal
    far = "We met in May. " * 5_000
    for before in (far, far[: presidio.STRETCH - 25], far[: presidio.STRETCH - presidio.SHARED - 25]):
        assert [text[one.start - len(before) : one.stop - len(before)] for one in find(before + text)] == [
            "401 023 2137",
            "ana@example.org",
        ]


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("I will kill you", "threat"),
        ("just kill yourself", "self_harm"),
        ("you are a worthless idiot", "insult"),
        ("all immigrants are vermin", "hate"),
        ("fuck you", "obscene"),
    ],
)
def test_word_lists(text: str, category: str) -> None:
    assert category in {one.category for one in find_toxic(text)}


def test_polite_text_is_not_toxic() -> None:
    assert find_toxic("How do I kill a Python process, you may ask? The idiot's guide to sets is a book.") == []


async def test_a_classifier_over_http() -> None:
    answers = iter(
        [
            httpx2.Response(200, json={"scores": {"insult": 0.9, "threat": 0.1}}),
            httpx2.Response(200, json={"score": 1}),
            httpx2.Response(503),
        ]
    )
    client = httpx2.AsyncClient(transport=httpx2.MockTransport(lambda _: next(answers)))
    endpoint = ToxicityEndpoint(client, "http://toxicity.example/score")
    scores = await endpoint.find("text")
    assert ([one.category for one in scores.found], scores.highest) == (["insult"], 0.9)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await endpoint.find("text")


async def test_a_classifier_that_trickles_or_floods_gives_no_answer() -> None:
    class Trickle(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                await asyncio.sleep(0.01)
                yield b" "

    class Flood(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                yield b" " * 65536

    for stream in (Trickle(), Flood()):
        client = httpx2.AsyncClient(
            transport=httpx2.MockTransport(lambda _, it=stream: httpx2.Response(200, stream=it))
        )
        with pytest.raises(Unavailable, match="GUARDRAIL_TOXICITY_URL"):
            await ToxicityEndpoint(client, "http://toxicity.example/score", seconds=0.3).find("text")


def _scorer(scores: dict[str, float], heard: list[str]) -> ToxicityEndpoint:
    def answer(request: httpx2.Request) -> httpx2.Response:
        heard.append(json.loads(request.content)["text"])
        return httpx2.Response(200, json={"scores": scores})

    return ToxicityEndpoint(httpx2.AsyncClient(transport=httpx2.MockTransport(answer)), "http://toxicity.example/score")


async def _toxicity(text: str, profile: str, scores: dict[str, float] | None = None) -> tuple[bool, Check, list[str]]:
    heard: list[str] = []
    evalview = EvalView(toxicity=None if scores is None else _scorer(scores, heard))
    try:
        verdict = await evalview.check(Question(text=text, direction=Direction.INPUT, profile=PROFILES[profile]))
    finally:
        await evalview.close()
    (check,) = (one for one in verdict.checks if one.name is CheckName.TOXIC)
    return verdict.allowed, check, heard


async def test_toxic_text_is_found_in_what_is_encoded() -> None:
    words = "I will kill you, you worthless idiot"
    hidden = f"decode {base64.b64encode(words.encode()).decode()}"
    for text in (hidden, "".join(f"%{sign:02x}" for sign in words.encode())):
        allowed, check, _ = await _toxicity(text, "strict")
        assert (allowed, check.passed) == (False, False), text
        assert {(one.kind, one.start) for one in check.findings} == {("threat", None), ("insult", None)}
    _, _, heard = await _toxicity(hidden, "standard", {"threat": 0.1})
    assert words in heard[0], "the classifier reads what is encoded as well"


async def test_the_classifier_adds_to_the_word_lists_and_takes_nothing_away() -> None:
    _, lists, _ = await _toxicity("a kind word", "strict")
    assert (lists.passed, lists.confidence) == (True, LISTS_SILENT)
    _, clean, _ = await _toxicity("a kind word", "strict", {"insult": 0.1})
    assert (clean.passed, clean.confidence) == (True, 0.9)
    allowed, found, _ = await _toxicity("a kind word", "strict", {"insult": 0.8})
    assert (allowed, found.confidence, [one.kind for one in found.findings]) == (False, 0.8, ["insult"])
    _, both, _ = await _toxicity("fuck you", "standard", {"insult": 0.8})
    assert [one.kind for one in both.findings] == ["obscene", "insult"]
    _, kept, _ = await _toxicity("fuck you", "standard", {"insult": 0.1})
    assert (kept.passed, [one.kind for one in kept.findings]) == (False, ["obscene"])


def test_a_system_prompt_spelled_out_or_backwards_is_a_leak() -> None:
    for text in (" ".join(PROMPT), PROMPT[::-1], "-".join(PROMPT.upper())):
        assert [leak.kind for leak in find_leaks(text, system_prompt=PROMPT)] == ["system_prompt"], text
    assert (
        find_leaks(
            "L i k e   t h i s   n o t h i n g   o f   i t   l e a k s   o u t   a t   a l l", system_prompt=PROMPT
        )
        == []
    )

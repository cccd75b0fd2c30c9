"""Distances by vectors: a sentence model on this machine, an endpoint, and what happens without an answer."""

import hashlib
import math
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx2
import pytest

from mutx.governance.types import MeasuredDistance
from mutx.kit.clock import ManualClock
from mutx.kit.errors import SetupError, Unavailable
from mutx.server.embedding import open_embedder
from mutx.server.settings import Settings
from mutx.services.embedding import distances
from mutx.services.embedding.distances import SILENT_SECONDS, CosineRange, SentenceDistances
from mutx.services.embedding.endpoint import EndpointEncoder
from mutx.services.embedding.local import LocalEncoder, open_model

REQUEST = "please pay the invoice of december"
NEAR, FAR = "pay invoice; period: december", "deploy cluster; region: north"


class TrigramModel:
    """A sentence model with the library's interface: counts of character trigrams, hashed into 256 dimensions."""

    def __init__(self, folder: str = "", *, local_files_only: bool = True) -> None:
        assert local_files_only
        if folder and not (Path(folder) / "model.bin").exists():
            raise OSError("no model")
        self.asked: list[str] = []

    def encode(self, sentences: list[str], *, normalize_embeddings: bool, show_progress_bar: bool) -> list[list[float]]:
        assert normalize_embeddings
        assert not show_progress_bar
        self.asked += sentences
        return [self._row(sentence) for sentence in sentences]

    def _row(self, sentence: str) -> list[float]:
        row = [0.0] * 256
        for at in range(len(sentence) - 2):
            row[hashlib.sha256(sentence[at : at + 3].encode()).digest()[0]] += 1.0
        length = math.hypot(*row)
        return [value / length for value in row] if length else row


def endpoint(answer: Any) -> EndpointEncoder:
    transport = httpx2.MockTransport(answer)
    return EndpointEncoder(httpx2.AsyncClient(base_url="http://e.example/v1", transport=transport), "mini")


async def test_a_local_model_tells_near_from_far_and_is_asked_once_about_each_text() -> None:
    model = TrigramModel()
    measures = SentenceDistances(LocalEncoder(model, "trigrams"), ManualClock(), seconds=60)
    near, far = await measures.measure(REQUEST, NEAR), await measures.measure(REQUEST, FAR)
    assert near.by == "trigrams"
    assert near.distance is not None
    assert far.distance is not None
    assert near.distance < far.distance
    assert await measures.measure(REQUEST, NEAR) == near
    assert model.asked == [REQUEST, NEAR, FAR]
    assert (await measures.measure("", NEAR)).distance is None  # no text has no direction
    await measures.close()


async def test_vectors_are_forgotten_beyond_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distances, "REMEMBERED", 2)
    model = TrigramModel()
    measures = SentenceDistances(LocalEncoder(model, "trigrams"), ManualClock(), seconds=60)
    for action in (NEAR, FAR, NEAR):
        await measures.measure(REQUEST, action)
    assert model.asked.count(NEAR) == 2
    monkeypatch.setattr(distances, "REMEMBERED", 1)
    assert (await measures.measure("another", "third")).distance is None


async def test_an_endpoint_is_asked_as_openai_is() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        assert request.url.path == "/v1/embeddings"
        texts = __import__("json").loads(request.content)["input"]
        rows = [{"index": at, "embedding": [1.0, float(text == FAR)]} for at, text in enumerate(texts)]
        return httpx2.Response(200, json={"data": rows[::-1], "model": "mini"})

    measures = SentenceDistances(endpoint(answer), ManualClock(), seconds=60, span=CosineRange(0.0, 0.25))
    assert await measures.measure(REQUEST, NEAR) == MeasuredDistance("mini", 0.0)
    assert await measures.measure(REQUEST, FAR) == MeasuredDistance("mini", 1.0)
    await measures.close()


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(500),
        httpx2.Response(200, json={"data": []}),
        httpx2.Response(200, json={"data": "x"}),
        httpx2.Response(200, content=b" " * (5 << 20)),
        httpx2.Response(200, json={"data": [{"index": at, "embedding": [0.0] * 20_000} for at in range(2)]}),
        httpx2.Response(200, json={"data": [{"index": at, "embedding": [0.0]} for at in range(2)]}),
        httpx2.Response(200, json={"data": [{"index": at, "embedding": [1.0] * (at + 1)} for at in range(2)]}),
    ],
)
async def test_without_a_usable_answer_words_decide_and_the_model_is_left_alone_for_a_while(
    answer: httpx2.Response,
) -> None:
    asked: list[httpx2.Request] = []

    def respond(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return answer

    clock = ManualClock()
    measures = SentenceDistances(endpoint(respond), clock, seconds=60)
    assert await measures.measure(REQUEST, NEAR) == MeasuredDistance("mini", None)
    assert await measures.measure(REQUEST, FAR) == MeasuredDistance("mini", None)
    assert len(asked) == 1
    clock.advance(SILENT_SECONDS + 1)
    assert await measures.measure(REQUEST, FAR) == MeasuredDistance("mini", None)


async def test_a_model_that_takes_too_long_or_fails_is_no_answer() -> None:
    class Stuck:
        name = "stuck"

        async def encode(self, texts: Any) -> Any:
            raise TimeoutError

    measures = SentenceDistances(Stuck(), ManualClock(), seconds=60)  # type: ignore[arg-type]
    assert await measures.measure(REQUEST, NEAR) == MeasuredDistance("stuck", None)

    class Failing(TrigramModel):
        def encode(self, sentences: list[str], **_: Any) -> Any:
            raise RuntimeError("out of memory")

    with pytest.raises(Unavailable, match="out of memory"):
        await LocalEncoder(Failing(), "failing").encode(["x"])


def test_what_an_installation_chooses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def chosen(**given: Any) -> SentenceDistances | None:
        settings = Settings(home=tmp_path, **{f"drift_embedding{name}": value for name, value in given.items()})
        return open_embedder(settings, ManualClock())

    assert chosen() is None
    assert chosen(**{"": "endpoint", "_model": "mini", "_url": "http://e.example/v1", "_key": "k"}) is not None
    for wrong, told in (
        ({"": "endpoint"}, "DRIFT_EMBEDDING_MODEL"),
        ({"": "endpoint", "_model": "mini"}, "DRIFT_EMBEDDING_URL"),
        ({"": "endpoint", "_model": "mini", "_near": 0.9, "_far": 0.3}, "near must be less"),
        ({"": "local", "_model": str(tmp_path / "gone")}, "no sentence model at"),
        ({"": "local", "_model": str(tmp_path)}, "pip install"),
    ):
        with pytest.raises(SetupError, match=told):
            chosen(**wrong)
    library = ModuleType("sentence_transformers")
    library.SentenceTransformer = TrigramModel  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sentence_transformers", library)
    with pytest.raises(SetupError, match="can be read"):
        open_model(tmp_path)
    (tmp_path / "model.bin").write_bytes(b"x")
    assert chosen(**{"": "local", "_model": str(tmp_path)}) is not None

"""Presidio's recognisers beside our own, where the extra `pii` is installed; names too, where a spaCy model is.

Ours come first: they are stricter with what looks like a number. Presidio adds what it alone knows (passports, driving
licences, national numbers of a dozen countries).
"""

import importlib.util
import threading
from collections.abc import Callable, Sequence
from typing import Any

from mutx.kit.errors import SetupError
from mutx.services.evalview.pii import RECOGNISERS, PersonalData, find_personal
from mutx.services.evalview.stretches import stretches

MODEL = "en_core_web_sm"
LEAST = 0.5
"""Presidio's own score below which a finding is a guess."""
SKIPPED = frozenset({"URL", "DATE_TIME", "NRP", "ORGANIZATION"})
"""Personal only beside something that is: alone they would redact half of every text."""
OURS = (
    "EmailRecognizer",
    "UrlRecognizer",
    "PhoneRecognizer",
    "CreditCardRecognizer",
    "IbanRecognizer",
    "UsSsnRecognizer",
)
"""What we find ourselves. Two of them would ask the network for a list of domains."""
STRETCH = 2_000
"""Characters that Presidio reads at a time: its time grows with the square of a text's length."""
SHARED = 200


def open_personal(*, presidio: bool) -> Callable[[str], Sequence[PersonalData]]:
    """What finds personal data. Raises SetupError where Presidio is wanted and not installed."""
    if not presidio:
        return find_personal
    if importlib.util.find_spec("presidio_analyzer") is None:
        raise SetupError("GUARDRAIL_PRESIDIO is on and Presidio is not installed: pip install 'mutx[pii]'")
    return WithPresidio()


class WithPresidio:
    """Loads on first use: that takes a second, and many installations never ask."""

    def __init__(self) -> None:
        self._analyzer: Any = None
        self._lock = threading.Lock()

    def __call__(self, text: str) -> list[PersonalData]:
        more = [
            PersonalData(at + found.start, at + found.end, found.entity_type, found.score)
            for at, stretch in stretches(text, STRETCH, SHARED)
            for found in self._loaded().analyze(stretch, language="en", score_threshold=LEAST)
            if found.entity_type not in SKIPPED and found.entity_type not in RECOGNISERS
        ]
        kinds = {*RECOGNISERS, *(found.kind for found in more)}
        return find_personal(text, kinds, more=more)

    def _loaded(self) -> Any:
        with self._lock:
            if self._analyzer is None:
                self._analyzer = _analyzer()
            return self._analyzer


def _analyzer() -> Any:
    import spacy
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine

    class BlankSpacyEngine(SpacyNlpEngine):  # type: ignore[misc, unused-ignore]
        """An engine on a pipeline that is there already: Presidio's own would download one."""

        def __init__(self, pipeline: Any) -> None:
            super().__init__(ner_model_configuration=NerModelConfiguration())
            self.nlp: Any = {"en": pipeline}

    pipeline = spacy.load(MODEL) if spacy.util.is_package(MODEL) else spacy.blank("en")
    engine = BlankSpacyEngine(pipeline)
    registry = RecognizerRegistry(supported_languages=["en"])
    registry.load_predefined_recognizers(languages=["en"], nlp_engine=engine)
    for name in OURS:
        registry.remove_recognizer(name)
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])

"""Train the guardrail's classifier, measure it on sources and kinds that it has not seen, and write its model card.

    python -m tools.train_guardrail [DATA] [--out FILE] [--card FILE] [--figure FILE] [--report FILE]

DATA (or the variable GUARDRAIL_DATA) holds `*.jsonl` files with rows of `text`, `label` (attack or benign), `kind`, `source`.
Deterministic: the same rows, libraries and seed give the same bytes. scikit-learn trains; the package itself needs none of it.

How: every text is read as the service reads it. Benign texts count with their windows, attacks with the whole text, then also
with the windows that the first fit finds worst. In a text that was composed of a benign document and an attack, only what the
benign rows do not contain is the attack. A source counts as at most CAP attacks, so that no collection dominates. Words must
occur in attacks of two sources or in benign texts of four to count at all. The texts of `tools/guardrail_texts` join the data in
training and are never measured.
"""

import argparse
import json
import os
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from mutx.services.evalview.bench import rate
from mutx.services.evalview.injection.features import SIZE, WORDS
from mutx.services.evalview.injection.model import SPANS, Card, length_of, pack
from mutx.services.evalview.injection.reading import FAMILIES, read
from mutx.services.evalview.plain import plain
from tools import guardrail_card
from tools.guardrail_texts.made import EACH, written

NAME = "mutx-guard-2"
SEED = 1
C = 1.0
WORD_SCALE = 0.4
CAP = 150
FEWEST_ATTACK_SOURCES = 2
FEWEST_BENIGN_SOURCES = 4
WINDOWS = 8
"""Windows of a benign text that are trained on."""
FOLDS = 5
TARGET = 0.015
"""Share of benign texts of unseen sources that may be taken for attacks: 2 % is the limit, the rest is margin."""
LIMIT = 0.02
"""The share that this project allows at most: what would be found there is in the card, and not used."""
SLOPES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
"""What each doubling of a text's segments may cost, in the model's own units: more windows, more chances to score high."""
KINDS = ("direct", "indirect", "jailbreak")
COMPOSED = "-composed"

Window = tuple[int, int]


class Texts:
    """Rows, their readings, and every window of them as a row of one sparse matrix."""

    def __init__(self, rows: Sequence[dict[str, Any]]) -> None:
        self.rows = rows
        self.readings = [read(plain(row["text"]).text) for row in rows]
        self.attack = np.array([row["label"] == "attack" for row in rows])
        self.group = [row["source"].removesuffix(COMPOSED) for row in rows]
        self.lengths = np.array([length_of(len(reading.segments)) for reading in self.readings])
        self.windows: list[Window] = []
        self.of: list[range] = []
        self.first: list[int] = []
        total = 0
        for reading in self.readings:
            count = len(reading.segments)
            spans = sorted({*SPANS, count} - {0})
            found = [(total + at, total + at + span) for span in spans for at in range(count - span + 1)]
            # The whole text comes last.
            self.of.append(range(len(self.windows), len(self.windows) + len(found)))
            self.windows += sorted(found, key=lambda window: window[1] - window[0])
            self.first.append(total)
            total += count
        self.injected = self._injected()
        self._matrices(total)

    def _injected(self) -> dict[int, set[int]]:
        """Composed rows: the segments that come from the attack."""
        benign = "\n".join(
            " ".join(row["text"].split()) for row, attack in zip(self.rows, self.attack, strict=True) if not attack
        )
        found: dict[int, set[int]] = {}
        for at, (row, reading) in enumerate(zip(self.rows, self.readings, strict=True)):
            if row["source"].endswith(COMPOSED):
                own = {i for i, text in enumerate(reading.segments) if " ".join(text.split()) not in benign}
                found[at] = own or set(range(len(reading.segments)))
        return found

    def _matrices(self, total: int) -> None:
        features = _sparse([found for reading in self.readings for found in reading.features], SIZE)
        families = _sparse([found for reading in self.readings for found in reading.families], FAMILIES)
        self.segments = features
        bounds = np.array(self.windows)
        lengths = bounds[:, 1] - bounds[:, 0]
        within = sp.csr_matrix(
            (
                np.ones(lengths.sum(), dtype=np.float32),
                np.concatenate([np.arange(*window) for window in self.windows]),
                np.concatenate([[0], np.cumsum(lengths)]),
            ),
            shape=(len(self.windows), total),
        )
        sizes = np.maximum(1, within @ np.diff(features.indptr))
        self.words = (sp.diags(1 / np.sqrt(sizes)) @ (within @ features)).tocsr()
        self.signals = (sp.diags(1 / lengths) @ (within @ families)).tocsr()

    def segments_of(self, row: int) -> list[int]:
        """Segments that count for the row's label."""
        own = self.injected.get(row)
        chosen: Iterable[int] = range(len(self.readings[row].segments)) if own is None else own
        return [self.first[row] + at for at in chosen]


def _sparse(found: Sequence[set[int]], width: int) -> Any:
    sizes = [len(one) for one in found]
    return sp.csr_matrix(
        (
            np.ones(sum(sizes), dtype=np.float32),
            np.fromiter((at for one in found for at in sorted(one)), dtype=np.int64, count=sum(sizes)),
            np.concatenate([[0], np.cumsum(sizes)]),
        ),
        shape=(len(sizes), width),
    )


def scales(texts: Texts, rows: Sequence[int]) -> Any:
    """How much a feature may count: nothing unless several sources have it."""
    by_source: dict[tuple[bool, str], list[int]] = defaultdict(list)
    for row in rows:
        by_source[(bool(texts.attack[row]), texts.group[row])] += texts.segments_of(row)
    attack, benign = np.zeros(SIZE), np.zeros(SIZE)
    for (is_attack, _), segments in by_source.items():
        if segments:
            (attack if is_attack else benign)[np.unique(texts.segments[segments].indices)] += 1
    scale = np.where((attack >= FEWEST_ATTACK_SOURCES) | (benign >= FEWEST_BENIGN_SOURCES), WORD_SCALE, 0.0)
    scale[WORDS:] = ((attack >= 2) | (benign >= 3))[WORDS:]
    return scale


class Sample:
    """Windows with weights: what a fit sees."""

    def __init__(self, texts: Texts, rows: Sequence[int]) -> None:
        counts = Counter(texts.group[row] for row in rows if texts.attack[row])
        rng = np.random.RandomState(SEED)
        self.attacks: list[tuple[int, float]] = []
        self.benign: list[tuple[int, float]] = []
        self.whole: list[tuple[int, float]] = []
        for row in rows:
            windows = texts.of[row]
            if not windows:
                continue
            weight = min(1.0, CAP / max(1, counts[texts.group[row]]))
            if not texts.attack[row]:
                self.benign += _some(windows, rng)
            elif row in texts.injected:
                chosen = _around(texts, row)
                self.attacks += [(window, weight * 1.5 / len(chosen)) for window in chosen]
            else:
                self.attacks.append((windows[-1], weight))
                if len(windows) > 1:
                    self.whole.append((row, weight))

    def worst(self, texts: Texts, scores: Any) -> None:
        """Add the windows of whole attacks that score highest."""
        for row, weight in self.whole:
            windows = np.array(texts.of[row][:-1])
            self.attacks += [(int(at), weight * 0.3) for at in windows[np.argsort(-scores[windows])[:3]]]


def _some(windows: range, rng: Any) -> list[tuple[int, float]]:
    chosen = list(windows)
    if len(windows) > WINDOWS:
        chosen = [*rng.choice(np.array(windows[:-1]), WINDOWS - 1, replace=False), windows[-1]]
    return [(int(window), float(np.sqrt(len(windows))) / len(chosen)) for window in chosen]


def _around(texts: Texts, row: int) -> list[int]:
    own = set(texts.segments_of(row))
    found = []
    for window in texts.of[row]:
        start, stop = texts.windows[window]
        if stop - start <= len(own) + 1 and own & set(range(start, stop)):
            found.append(window)
    wide = [at for at in found if texts.windows[at][1] - texts.windows[at][0] >= min(len(own), 3)]
    return wide or found


def fit(texts: Texts, rows: Sequence[int]) -> tuple[Any, Any, float]:
    """Weights of features and of families, and the intercept."""
    scale = scales(texts, rows)
    kept = np.flatnonzero(scale)
    matrix = sp.hstack([texts.words[:, kept] @ sp.diags(scale[kept]), texts.signals]).tocsr()
    sample = Sample(texts, rows)
    model = LogisticRegression(C=C, solver="liblinear", max_iter=60, tol=1e-2, random_state=SEED)
    for again in (True, False):
        pairs = sample.attacks + sample.benign
        label = np.arange(len(pairs)) < len(sample.attacks)
        weight = np.array([one for _, one in pairs])
        weight[label] *= weight[~label].sum() / weight[label].sum() / 2
        with threadpool_limits(limits=1):  # sums of several threads differ in their last digits
            model.fit(matrix[[window for window, _ in pairs]], label, sample_weight=weight)
        if again:
            sample.worst(texts, matrix @ model.coef_[0] + model.intercept_[0])
    features = np.zeros(SIZE)
    features[kept] = model.coef_[0][: len(kept)] * scale[kept]
    return features, model.coef_[0][len(kept) :], float(model.intercept_[0])


def packed(features: Any, families: Any, intercept: float, slope: float, threshold: float) -> tuple[Card, bytes]:
    """The weights as the package reads them: signed 16-bit numbers, little-endian."""
    scale = float(np.abs(features).max()) / 32767
    stored = np.clip(np.rint(features / scale), -32767, 32767).astype("<i2")
    card = Card(
        name=NAME,
        features=SIZE,
        families=[round(float(one), 4) for one in families],
        intercept=intercept,
        scale=scale,
        slope=slope,
        threshold=threshold,
    )
    return card, stored.tobytes()


def scores_of(texts: Texts, model: tuple[Any, Any, float], rows: Sequence[int]) -> list[float]:
    """The worst window of each row, before the length counts."""
    features, families, intercept = model
    windows = texts.words @ features + texts.signals @ families + intercept
    return [float(windows[list(texts.of[row])].max(initial=-9.0)) for row in rows]


def validate(texts: Texts, real: int) -> Any:
    """A score of each of the first `real` rows by a model that saw no row of its source, nor a text with one in it."""
    attacking = sorted({group for group, attack in zip(texts.group[:real], texts.attack, strict=False) if attack})
    harmless = sorted(set(texts.group[:real]) - set(attacking))
    rng = random.Random(SEED)  # noqa: S311 - the same folds in every run
    rng.shuffle(attacking)
    rng.shuffle(harmless)
    fold_of = {group: at % FOLDS for groups in (attacking, harmless) for at, group in enumerate(groups)}
    scores = np.zeros(real)
    for fold in range(FOLDS):
        print(f"fold {fold + 1} of {FOLDS}", flush=True)
        held = [row for row in range(real) if fold_of[texts.group[row]] == fold]
        seen = [
            row for row in range(len(texts.rows)) if all(fold_of.get(name) != fold for name in _sources(texts, row))
        ]
        scores[held] = scores_of(texts, fit(texts, seen), held)
    return scores


def _sources(texts: Texts, row: int) -> tuple[str, str]:
    return texts.group[row], texts.rows[row].get("host", "")


def without_kind(texts: Texts, real: int) -> dict[str, Any]:
    """Kind of attack -> a score of each attack of that kind by a model that saw none of the kind, not even a written one."""
    found = {}
    for kind in KINDS:
        held = [row for row in range(real) if texts.rows[row]["kind"] == kind]
        if held:
            print(f"without {kind}", flush=True)
            seen = [row for row in range(len(texts.rows)) if texts.rows[row]["kind"] != kind]
            found[kind] = np.array(scores_of(texts, fit(texts, seen), held)), texts.lengths[held]
    return found


def chosen(scores: Any, lengths: Any, attack: Any, target: float = TARGET) -> tuple[float, float]:
    """Slope and threshold: the slope that finds most where `target` of the benign texts are taken for attacks."""

    def at(slope: float) -> tuple[float, float]:
        lowered = scores - slope * lengths
        threshold = float(np.quantile(lowered[~attack], 1 - target))
        return float((lowered[attack] > threshold).mean()), threshold

    slope = max(SLOPES, key=lambda one: at(one)[0])
    return slope, at(slope)[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?", default=os.environ.get("GUARDRAIL_DATA"))
    parser.add_argument("--out", type=Path, default=Path("src/mutx/services/evalview/injection/weights.bin"))
    parser.add_argument("--card", type=Path, default=Path("docs/guardrail-model.md"))
    parser.add_argument("--figure", type=Path, default=Path("docs/guardrail-model.svg"))
    parser.add_argument("--report", type=Path)
    parser.add_argument("--each", type=int, default=EACH, help="written texts of each family")
    options = parser.parse_args()
    if options.data is None:
        parser.error("name the folder of the data, or set GUARDRAIL_DATA")
    files = sorted(Path(options.data).glob("*.jsonl"))
    rows = [json.loads(line) for file in files for line in file.read_text("utf-8").split("\n") if line.strip()]
    texts = Texts([*rows, *written(rows, options.each)])
    real, attack = len(rows), texts.attack[: len(rows)]
    scores = validate(texts, real)
    slope, threshold = chosen(scores, texts.lengths[:real], attack)
    model = fit(texts, range(len(texts.rows)))
    card, weights = packed(*model, slope, threshold)
    options.out.write_bytes(pack(card, weights))
    found = guardrail_card.report(
        rows,
        scores - slope * texts.lengths[:real] > threshold,
        np.array(scores_of(texts, model, range(real))) - slope * texts.lengths[:real] > threshold,
        {kind: values - slope * lengths > threshold for kind, (values, lengths) in without_kind(texts, real).items()},
    ) | {"model": NAME, "slope": slope, "threshold": threshold, "bytes": options.out.stat().st_size}
    found["written"] = len(texts.rows) - real
    most_slope, most_threshold = chosen(scores, texts.lengths[:real], attack, LIMIT)
    most = (scores - most_slope * texts.lengths[:real] > most_threshold)[attack]
    found["at_limit"] = {"limit": LIMIT, "recall": rate(int(most.sum()), len(most))}
    if options.report:
        options.report.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    options.card.write_text(guardrail_card.page(found, options.figure.name), encoding="utf-8")
    options.figure.write_text(guardrail_card.figure(found), encoding="utf-8")
    print(f"{options.out}: {options.out.stat().st_size} bytes, slope {slope}, threshold {threshold:.3f}")


if __name__ == "__main__":
    main()

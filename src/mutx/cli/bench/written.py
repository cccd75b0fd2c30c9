"""A report as files: JSON, Markdown, and a plot where the extra `bench` is installed."""

import json
from pathlib import Path
from typing import Any

from mutx.cli.bench.guardrail import in_words
from mutx.kit.errors import SetupError

HINT = "the plot needs matplotlib: pip install 'mutx[bench]'"


def write_all(report: dict[str, Any], folder: Path) -> None:
    """guardrail.json, guardrail.md, and guardrail.png for the injection check. Raises SetupError without matplotlib."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in report.items() if name != "scores"}
    (folder / "guardrail.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    (folder / "guardrail.md").write_text(in_words(report) + "\n", encoding="utf-8")
    if "scores" in report:
        _plot(report["scores"], folder / "guardrail.png")


def _plot(scores: list[dict[str, Any]], path: Path) -> None:
    """Recall over false positive rate as the threshold moves; a dot where the shipped one stands."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise SetupError(HINT) from error
    figure = Figure(figsize=(6, 4), layout="tight")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    attack = [row["score"] for row in scores if row["label"] == "attack"]
    benign = [row["score"] for row in scores if row["label"] == "benign"]
    points = [(_over(benign, edge), _over(attack, edge)) for edge in sorted({row["score"] for row in scores})]
    axes.plot([x for x, _ in points], [y for _, y in points])
    axes.plot([_over(benign, 0)], [_over(attack, 0)], "o")
    axes.set(xlabel="false positive rate", ylabel="recall", xlim=(0, 0.1), ylim=(0, 1))
    figure.savefig(path, dpi=120)


def _over(scores: list[float], edge: float) -> float:
    return sum(score > edge for score in scores) / max(1, len(scores))

"""Results in three forms: JSON for programs, Markdown for a page, a plot for a talk."""

import json
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mutx.kit.errors import SetupError

SHARES = ("benign_clean", "utility_under_attack", "attack_success_auto", "attack_success_stepup_stopped")


def versions(*packages: str) -> dict[str, str]:
    """Of what a figure depends on."""
    found = {"python": platform.python_version()}
    for name in ("mutx", *packages):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def write(folder: Path, name: str, results: dict[str, Any], markdown: str) -> list[Path]:
    """`name`.json, .md and .png below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{name}.{kind}" for kind in ("json", "md", "png")]
    files[0].write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", "utf-8")
    files[1].write_text(markdown + "\n", "utf-8")
    plot(files[2], results["suites"] | {"pooled": results["pooled"]})
    return files


def plot(file: Path, results: Mapping[str, Mapping[str, Any]]) -> None:
    """Bars with 95 % intervals, a group per suite. Raises SetupError without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise SetupError("a plot needs matplotlib: pip install 'mutx[bench]'") from error
    figure = Figure(figsize=(2.2 + 2.2 * len(results), 4.2), layout="constrained")
    axes = figure.subplots()
    width = 0.8 / len(SHARES)
    for number, share in enumerate(SHARES):
        places = [index + number * width for index in range(len(results))]
        values = [100 * (found[share] or 0.0) for found in results.values()]
        below = [
            value - 100 * found["intervals"][share][0] for value, found in zip(values, results.values(), strict=True)
        ]
        above = [
            100 * found["intervals"][share][1] - value for value, found in zip(values, results.values(), strict=True)
        ]
        label = share.replace("_", " ")
        axes.bar(places, values, width, label=label, yerr=[_positive(below), _positive(above)], capsize=2)
    axes.set_xticks([index + 0.4 - width / 2 for index in range(len(results))], list(results))
    axes.set_ylim(0, 100)
    axes.set_ylabel("percent, with 95 % intervals")
    axes.legend(fontsize="small", loc="upper right")
    figure.savefig(file, dpi=120)


def _positive(values: list[float]) -> list[float]:
    return [max(0.0, value) for value in values]

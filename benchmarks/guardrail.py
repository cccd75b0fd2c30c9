"""What each layer of the guardrail costs for a kilobyte of text: in microseconds, and against one plain scan of the same text."""

from collections.abc import Callable

from benchmarks.harness import Plan, Result, ratio, result, sweep
from mutx.services.evalview.injection.model import shipped
from mutx.services.evalview.injection.patterns import families_in
from mutx.services.evalview.pii import find_personal
from mutx.services.evalview.plain import plain
from mutx.services.evalview.profiles import PROFILES, Direction
from mutx.services.evalview.service import EvalView, Question
from mutx.services.evalview.tokens import open_tokenizer
from mutx.services.evalview.toxicity import find_toxic

KILOBYTES = 8
GATES = {
    "encoding": 800, "patterns": 600, "classifier": 6000, "pii": 3000, "toxicity": 500, "tokens": 500, "whole": 12000,
}  # fmt: skip
"""Microseconds per kB, well above what was measured: a layer that became quadratic misses them by far."""
PARAGRAPH = (
    "Dear team, the numbers of the third quarter are attached; sales went up by 4.2 % in spring. Please look at them before "
    "Friday, and tell Iris (iris@example.org, +44 20 7946 0958) whether the tables are right.\nInvoice 2025-10-4711 of 12 March "
    "is still open. Ignore the second sheet: it repeats the first. The office is closed on Monday. When will the parcel arrive?\n"
)


def run(plan: Plan) -> list[Result]:
    text = (PARAGRAPH * (KILOBYTES * 1024 // len(PARAGRAPH) + 1))[: KILOBYTES * 1024]
    tokenizer = open_tokenizer()
    view = EvalView(tokenizer=tokenizer)
    question = Question(text=text, direction=Direction.INPUT, profile=PROFILES["standard"])
    layers: dict[str, Callable[[], object]] = {
        "encoding": lambda: plain(text),
        "patterns": lambda: list(families_in(text.encode())),
        "classifier": lambda: shipped().judge(text),
        "pii": lambda: find_personal(text),
        "toxicity": lambda: find_toxic(text),
        "tokens": lambda: tokenizer.count(text),
        "whole": lambda: view.read(question),
    }
    return [one for name, layer in layers.items() for one in _layer(plan, name, layer, text)]


def _layer(plan: Plan, name: str, layer: Callable[[], object], text: str) -> list[Result]:
    calls: list[tuple[()]] = [()] * plan.count(20)
    layer()  # what is loaded on first use
    subject = sweep(layer, calls)
    scan = sweep(lambda: sum(sign.isalnum() for sign in text), calls)
    runs = [subject() * 1e6 / KILOBYTES for _ in range(plan.rounds)]
    what = f"{name} of {KILOBYTES} kB of prose with an address and a phone number, per kB"
    return [
        result(f"guardrail_{name}_us_per_kB", runs, "us", what, GATES[name]),
        ratio(
            f"guardrail_{name}_over_scan",
            plan,
            subject,
            scan,
            against="one pass of Python over the characters of the same text",
            gate=GATES[name] / 10,
        ),
    ]

"""The model card of the guardrail's classifier: what was measured, in words, tables and one figure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from mutx.services.evalview.bench import rate

LABELS = {"attack": "recall", "benign": "false_positives"}
ROW = 14
"""Height of a line of the figure."""


def report(rows: Sequence[dict[str, Any]], over: Any, fitted: Any, kinds: Mapping[str, Any]) -> dict[str, Any]:
    """Shares with 95 % Wilson intervals. `over`: by models that saw no row of its source; `fitted`: by the shipped one;
    `kinds`: kind of attack -> the same by a model that saw none of the kind."""
    labels = np.array([row["label"] for row in rows])
    kind = np.array([row["kind"] for row in rows])
    source = np.array([row["source"] for row in rows])

    def rates(flags: Any, chosen: Any) -> dict[str, Any]:
        found = {}
        for label, name in LABELS.items():
            these = chosen & (labels == label)
            if these.any():
                found[name] = rate(int(flags[these].sum()), int(these.sum()))
        return found

    everything = np.ones(len(rows), dtype=bool)
    return {
        "pooled": rates(over, everything),
        "fitted": rates(fitted, everything),
        "kinds": {name: rates(over, kind == name) for name in sorted(set(kind))},
        "without_kind": {name: rate(int(flags.sum()), len(flags)) for name, flags in kinds.items()},
        "sources": {name: rates(over, source == name) for name in sorted(set(source))},
    }


def page(found: Mapping[str, Any], figure_name: str) -> str:
    pooled, fitted = found["pooled"], found["fitted"]
    return PAGE.format(
        model=found["model"],
        kilobytes=round(found["bytes"] / 1000),
        texts=sum(one["of"] for one in pooled.values()),
        attacks=pooled["recall"]["of"],
        written=found["written"],
        recall=share(pooled["recall"]),
        fpr=share(pooled["false_positives"]),
        limit=percent({"rate": found["at_limit"]["limit"]}),
        at_limit=share(found["at_limit"]["recall"]),
        fitted_recall=percent(fitted["recall"]),
        fitted_fpr=percent(fitted["false_positives"]),
        verdict="It is reached" if pooled["recall"]["rate"] >= 0.7 else "**It is not reached**",
        kinds="\n".join(_kinds(found)),
        above=", ".join(_above(found)) or "none",
        figure=figure_name,
        sources="\n".join(
            f"| {name} | {share(one.get('recall'))} | {share(one.get('false_positives'))} |"
            for name, one in found["sources"].items()
        ),
    )


def _kinds(found: Mapping[str, Any]) -> Iterator[str]:
    for name, one in found["kinds"].items():
        left = found["without_kind"].get(name)
        yield f"| {name} | {share(one.get('recall'))} | {share(left)} | {share(one.get('false_positives'))} |"


def _above(found: Mapping[str, Any]) -> Iterator[str]:
    for name, one in found["sources"].items():
        benign = one.get("false_positives")
        if benign and benign["rate"] > 0.02:
            yield f"{name} ({percent(benign)})"


def percent(one: Mapping[str, Any]) -> str:
    return f"{one['rate']:.1%}".replace("%", " %")


def share(one: Mapping[str, Any] | None) -> str:
    if one is None:
        return "-"
    low, high = one["interval"]
    return f"{percent(one)} ({low * 100:.1f} to {high * 100:.1f}) of {one['of']}"


def figure(found: Mapping[str, Any]) -> str:
    """Recall of each left-out source of attacks with its interval, as SVG."""
    lines = [(name, one["recall"]) for name, one in found["sources"].items() if "recall" in one]
    height = ROW * (len(lines) + 2)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="560" height="{height}" font-family="sans-serif" font-size="10">',
        f'<title>Recall by left-out source, 95 % intervals</title><rect width="560" height="{height}" fill="white"/>',
    ]
    for at, (name, one) in enumerate(lines):
        middle = ROW * (at + 1)
        low, high = (200 + 340 * edge for edge in one["interval"])
        parts += [
            f'<text x="190" y="{middle + 3}" text-anchor="end">{name}</text>',
            f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{middle}" y2="{middle}" stroke="#888"/>',
            f'<circle cx="{200 + 340 * one["rate"]:.1f}" cy="{middle}" r="3" fill="#246"/>',
        ]
    for tenth in range(0, 11, 2):
        parts.append(f'<text x="{200 + 34 * tenth}" y="{height - 4}" text-anchor="middle">{tenth * 10} %</text>')
    return "\n".join([*parts, "</svg>", ""])


PAGE = """# Model card: {model}

This page is written by the training: `python -m tools.train_guardrail DATA`.

**What it is.** A linear classifier for prompt injection and jailbreaks, {kilobytes} kB, run in pure Python and RE2. It reads a text as
sentences and lines, judges every run of 1, 2 and 4 of them and the whole, takes the worst, and allows for the text's length. Its
features: hashed words and their neighbours (by their first five letters), about 30 classes of words in some 25 languages and their
combinations, and about 70 families of attack as patterns. Some families (what a reply should look like, for example) count only
within a document: where a person asks for it, it is harmless.

**What it is for.** A signal beside policy. It is not a boundary.

**Trained on** {texts} texts ({attacks} attacks) of public sources under permissive licences, and on {written} texts made from templates
written for this project in some 25 languages (`tools/guardrail_texts`), which are never measured. The public attacks are English for nine in ten. No
source counts as more than 150 attacks. Of documents with an attack put into them, only the attack counts as one. The data are not
part of the repository; the training is, and it is deterministic for the same rows and library versions.

## How well it does on what it has not seen

Five models, each trained without a fifth of the sources and measured on just those; a source and the texts composed from it are
left out together. The threshold is the one below which 98.5 % of all harmless texts lie in this measurement; the shipped model is
trained on everything and uses it. So the share of false positives is chosen, the recall is found. Shares are followed by
their 95 % Wilson interval.

**Recall {recall} at {fpr} false positives.** The target of this project was 70 % at no more than 2 %. {verdict} in this measurement.
With the threshold at {limit} false positives, the same five models find {at_limit}.

This is somewhat optimistic: the pattern families, and some templates of harmless look-alikes, were written after reading misses and
false positives of these same texts. On its own training data the shipped model finds {fitted_recall} at {fitted_fpr} false positives.

| kind | recall, source unseen | recall, whole kind unseen | false positives |
|---|---|---|---|
{kinds}

*Whole kind unseen*: by a model that was trained without any attack of that kind, from whatever source.

Harmless sources with more than 2 %: {above}. They speak about prompts, attacks and what a model should do.

![Recall by left-out source]({figure})

| left-out source | recall | false positives |
|---|---|---|
{sources}

## What was tried and is not part of it

Each was measured as above, with the written texts of its day, at 1.5 % false positives.

- Character n-grams (3 to 5, within words) beside the words: 44.9 % against 45.5 % without them; alone 36.1 %.
- Gradient-boosted trees over the scores of a text's passages: 50.1 % against 57.1 % without; with what sets a passage apart from the
  rest of its document (words, language, person, questions, marks, place) 46.5 %. They learn the sources.
- Other sums of the passages' scores than the worst: 47.4 to 57.9 % against 57.1 %.
- Ordinary questions and tasks put into documents, as attacks to train on: no gain, and more false positives.
- More written attacks in more languages, and a second look at the worst harmless passages: 58.1 % against 58.1 %. The mean over
  sources with 20 attacks or more rises from 49.5 to 52.5 % and indirect attacks from 37.6 to 41.7 %, but jailbreaks fall from
  64.6 to 59.4 %, and plain insults were taken for attacks.
- Pretrained vectors, which saw much general text by others: the static ones of WordLlama 0.4 (256 numbers for each of 32000 word
  pieces, MIT) and the sentences of all-MiniLM-L6-v2 (384 numbers, Apache-2.0), against 58.1 %, and 61.4 % at 2 % false positives:
  - the mean static vector of each passage (64 numbers): linear by itself at most 9.8 %; added to the score at most 58.0 % (61.3 %);
    fitted together with the other features, which makes one weight of each word piece, 56.4 % (59.0 %);
  - words as 1000 clusters of static vectors, with their neighbours, among the features: 57.3 % (60.2 %); averaged with the score at
    most 58.2 % (61.8 %);
  - a second look by a linear head or a small network at the passage that scores highest: static vectors at most 58.6 % (61.7 %),
    MiniLM (at the 3800 harmless texts that score highest; the others kept its lowest score) at most 58.9 % (61.6 %), the best of 17
    and of 26 settings chosen by this measurement. A head trained to weigh both is worse on unseen sources: at most 53.1 % and 47.1 %.

  The heads probably learn topics, which differ from source to source. Nothing here gained the 2 points that would have paid for
  megabytes.

## What it does not do

- Attacks that are ordinary requests in the wrong place ("What is the capital of Brazil?" in a mail).
- Jailbreaks that only tell a story, and suffixes of random-looking characters.
- Questions after a system's insides without an order.
- Languages for which it has neither texts nor words: the word classes alone carry little.
- It never sees a conversation, only one text.

Measure it on texts of your own with `mutx bench guardrail --data FILE`: it scores the check that `prompt_injection` makes in every profile.
"""

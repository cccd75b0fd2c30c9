"""FPL, Faramesh's policy language, as a PolicySet: `read_fpl(text, name=...)` gives the document's tree.

scan         characters -> words, texts, numbers, with their places
expression   `when` expressions -> CEL (names: what paths mean, calls: what functions mean)
syntax       what an FPL file says, as values
statements   words -> syntax
translate    syntax -> the tree of a PolicySet document

What is not supported is refused with line and column, never ignored; docs/fpl.md lists what is.
"""

from mutx.governance.policy.fpl.scan import Scanner
from mutx.governance.policy.fpl.statements import FileReader
from mutx.governance.policy.fpl.translate import translate
from mutx.governance.policy.nodes import Node, refuse

STARTS = frozenset(
    "agent system import runtime provider identity trust manifest pack default var rules phase budget permit deny defer "
    "allow approve block reject rate_limit redact".split()
)
"""Words that FPL files begin with; a PolicySet in YAML or JSON never does without a colon."""


def read_fpl(text: str, *, name: str) -> Node:
    """The PolicySet that an FPL file says, under `name`. Raises PolicyInvalid with the place of every problem found."""
    scanner = Scanner(text)
    reader = FileReader(scanner)
    file = reader.read()
    if reader.problems:
        raise refuse(reader.problems, document=name)
    return translate(file, name)


def looks_like_fpl(text: str) -> bool:
    """Whether the first word is one that FPL files begin with, and no key of a YAML mapping."""
    scanner = Scanner(text)
    scanner.skip()
    word = scanner.peek_word()
    return word.rstrip("!") in STARTS and not text.startswith(":", scanner.position + len(word))

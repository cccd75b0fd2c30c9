"""Which commands start a Python that would not load the bootstrap.

`python -I`, `-E` and `-S` ignore PYTHONPATH or `sitecustomize`. What is found here is what a command line shows: directly,
behind a wrapper such as `env`, in a shell's `-c` text or in a script's first line. A shell script that starts such a
Python on its own is not seen; beneath the hooks, sandbox and egress gateway still hold it.
"""

import os
import re
from collections.abc import Sequence

PYTHON = re.compile(r"(python|pypy)[0-9.]*t?d?")
BLIND = frozenset("IES")
"""Options that keep Python from the bootstrap: isolated, no environment, no site."""
WITH_VALUE = frozenset("cmXW")
WRAPPERS = frozenset(
    "env nice nohup timeout setsid stdbuf xargs chrt ionice taskset time sudo doas exec command".split()
)
SHELLS = frozenset("sh bash dash zsh ash ksh busybox".split())
LINE_LIMIT = 256


class UngovernedChild(PermissionError):
    """A child process was refused because it would run without the hooks."""


def blind_option(command: Sequence[str]) -> str | None:
    """The option by which a Python of this command would run ungoverned, as `python3 -I`; None if there is none."""
    return _in_words(_with_interpreter(list(command)))


def blind_option_in_shell(text: str) -> str | None:
    """The same for a shell's text. What cannot be cut into words is taken for harmless: a shell refuses it as well."""
    import shlex

    try:
        words = list(shlex.shlex(text, posix=True, punctuation_chars=True))
    except ValueError:
        return None
    return next(filter(None, (_of_python(words[start:]) for start in range(len(words)))), None)


def interpreter_of(command: Sequence[str]) -> str:
    """What runs a command: itself, what its `#!` line names, or what a wrapper such as `env` starts."""
    words = _with_interpreter(list(command))
    while len(words) > 1 and os.path.basename(words[0]) in WRAPPERS:
        words = [word for word in words[1:] if "=" not in word and not word.startswith("-")]
    return words[0] if words else ""


def is_python(program: str) -> bool:
    return PYTHON.fullmatch(os.path.basename(program)) is not None


def _in_words(words: Sequence[str]) -> str | None:
    if not words:
        return None
    name = os.path.basename(words[0])
    if name in WRAPPERS:
        return next(filter(None, (_in_words(words[start:]) for start in range(1, len(words)))), None)
    if name in SHELLS:
        texts = [words[at + 1] for at, word in enumerate(words[:-1]) if re.fullmatch(r"-[a-z]*c[a-z]*", word)]
        return next(filter(None, map(blind_option_in_shell, texts)), None)
    return _of_python(words)


def _of_python(words: Sequence[str]) -> str | None:
    if not is_python(words[0]):
        return None
    options = iter(words[1:])
    for word in options:
        if not word.startswith("-") or word in ("-", "--"):
            return None
        if word.startswith("--"):
            continue
        for at, letter in enumerate(word[1:], 2):
            if letter in BLIND:
                return f"{os.path.basename(words[0])} -{letter}"
            if letter in WITH_VALUE:
                if letter in "cm":
                    return None
                if at == len(word):
                    next(options, None)
                break
    return None


def _with_interpreter(words: list[str]) -> list[str]:
    """A script's words with those of its `#!` line before them."""
    from shutil import which

    path = None if not words or is_python(words[0]) else which(words[0])
    if path is None or is_python(path):
        return words
    try:
        with open(path, "rb") as file:
            line = file.readline(LINE_LIMIT)
    except OSError:
        return words
    if not line.startswith(b"#!"):
        return words
    return [*line[2:].decode("utf-8", "replace").split(), *words]

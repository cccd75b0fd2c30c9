"""What a child prints, kept without its secrets: one JSON object per line, bounded in size and in rate."""

import json
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mutx.kit.clock import Clock
from mutx.services.telemetry.redaction import HIDDEN, is_secret_name, redact_text

MAX_LINE = 8192
"""Bytes; the rest of a longer line is left out."""
MAX_FILE = 1_000_000
"""Bytes, of each of two files: the running one, and the one before."""
PER_SECOND = 100_000
"""Bytes that are looked at in a second; more is counted and left out, so that a flood holds nobody up."""
LEAST_SECRET = 6
"""Characters; shorter values stand in too much else."""
MAX_PEM_LINES = 256


def secrets_of(env: Mapping[str, str]) -> tuple[str, ...]:
    """Values of an environment that are secret by their name or by their look, the longest first."""
    found = [
        value
        for name, value in env.items()
        if len(value) >= LEAST_SECRET and (is_secret_name(name) or redact_text(value) != value)
    ]
    return tuple(sorted(set(found), key=len, reverse=True))


class RedactedLog:
    """Takes bytes of several streams, cuts lines, hides secrets, writes. `close` ends it."""

    def __init__(self, path: Path, secrets: Sequence[str], clock: Clock) -> None:
        self._path = path
        self._secrets = tuple(secrets)
        self._clock = clock
        self._file = path.open("ab", buffering=0)
        self._size = path.stat().st_size
        path.chmod(0o600)
        self._lines: dict[str, _Line] = {}
        self._second, self._seen, self._dropped = 0, 0, 0

    def feed(self, stream: str, data: bytes) -> None:
        line = self._lines.setdefault(stream, _Line())
        if not self._admit(len(data)):
            line.lose()
            self._dropped += data.count(b"\n")
            return
        self._tell_dropped()
        for text in line.cut(data):
            self._write(stream, self._hidden(line, text))

    def pause(self) -> None:
        """Nothing came for a moment: tell what was left out before."""
        if int(self._clock.now()) != self._second:
            self._tell_dropped()

    def say(self, message: str) -> None:
        """A line of the supervisor's own."""
        self._write("supervisor", message)

    def close(self) -> None:
        for stream, line in self._lines.items():
            if rest := line.rest():
                self._write(stream, self._hidden(line, rest))
        self._tell_dropped()
        self._file.close()

    def _admit(self, size: int) -> bool:
        second = int(self._clock.now())
        if second != self._second:
            self._second, self._seen = second, 0
        self._seen += size
        return self._seen <= PER_SECOND

    def _tell_dropped(self) -> None:
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            self.say(f"{dropped} lines were left out: too many at once")

    def _hidden(self, line: "_Line", text: str) -> str:
        if line.in_pem(text):
            return HIDDEN
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return redact_text(text)

    def _write(self, stream: str, message: str) -> None:
        entry = {"at": self._clock.now(), "stream": stream, "message": message}
        written = json.dumps(entry, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        if self._size + len(written) > MAX_FILE:
            self._file.close()
            self._path.replace(_before(self._path))
            self._file = self._path.open("ab", buffering=0)
            self._path.chmod(0o600)
            self._size = 0
        self._file.write(written)
        self._size += len(written)


class _Line:
    """One stream's line so far."""

    def __init__(self) -> None:
        self._part = bytearray()
        self._skip = False
        """The rest of this line is left out."""
        self._pem = 0
        """Lines of a private key that may still come."""

    def cut(self, data: bytes) -> list[str]:
        *whole, rest = data.split(b"\n")
        found = [self._end(piece) for piece in whole]
        self._add(rest)
        return [text for text in found if text is not None]

    def lose(self) -> None:
        """Bytes were left out: what has begun, and what begins in them, is no whole line."""
        self._part.clear()
        self._skip = True

    def rest(self) -> str:
        return self._part.decode("utf-8", "replace")

    def in_pem(self, text: str) -> bool:
        """Whether this line is part of a private key that began on an earlier one, or begins here and goes on."""
        if self._pem:
            self._pem = 0 if "-----END" in text else self._pem - 1
            return True
        if "-----BEGIN" in text and "PRIVATE KEY" in text and "-----END" not in text:
            self._pem = MAX_PEM_LINES
            return True
        return False

    def _add(self, piece: bytes) -> None:
        if not self._skip:
            self._part += piece[: MAX_LINE + 1 - len(self._part)]

    def _end(self, piece: bytes) -> str | None:
        self._add(piece)
        text, lost = bytes(self._part), self._skip
        self._part.clear()
        self._skip = False
        if lost:
            return None
        # Cut off within a secret, its beginning would no longer be known for one: the last word goes as well.
        return _shortened(text) if len(text) > MAX_LINE else text.decode("utf-8", "replace").rstrip("\r")


def _shortened(text: bytes) -> str:
    kept = text[:MAX_LINE].decode("utf-8", "replace")
    words = kept.rsplit(None, 1)
    return f"{words[0] if len(words) > 1 else ''} [cut off]"


def _before(path: Path) -> Path:
    return path.with_name(path.name + ".1")


def read_log(path: Path, lines: int) -> list[dict[str, Any]]:
    """The last `lines` entries, oldest first. Blocks; the files are small."""
    found: deque[dict[str, Any]] = deque(maxlen=lines)
    for file in (_before(path), path):
        try:
            text = file.read_bytes()
        except FileNotFoundError:
            continue
        for line in text.split(b"\n"):
            if line.endswith(b"}"):  # one that is being written is not whole yet
                found.append(json.loads(line))
    return list(found)

"""Where did a value first appear? (DESIGN §2)

The index keeps keyed 8-byte hashes of values, never the values. Three tables: what the user's request mentions, what
trusted output mentions, what untrusted output mentions. A value counts by the best of its mentions: an address that
the user named is the user's, in whatever document it also stands; only a value that nothing but untrusted output
mentioned is UNTRUSTED. Each table is bounded and drops its own oldest entries, so untrusted output can flood nobody's
table but its own. Once anything was dropped, a value found nowhere may have been in what was dropped: UNTRUSTED.
"""

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from itertools import islice
from typing import Any

from msgspec import Struct, field

from mutx.governance.provenance_text import Mention, fold, number, phrase, quoted, tokens
from mutx.governance.types import Origin
from mutx.governance.words import stems

KEY_BYTES = 8
MAX_VALUES = 4096
"""Entries of each table; also the most that is read out of one text or result."""
MAX_MENTIONS = 2 * MAX_VALUES
"""Mentions that are read out of one result, repeated ones included."""
MAX_WHOLE = 1024
"""Characters up to which a text also counts as one value."""
MAX_FIELD = 200
"""Characters of a text that may count as a field's value."""
MAX_SOURCES = 512
STEM = "\x00"


class Sighting(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one text or result mentioned, as it stands in a context delta."""

    origin: Origin
    source: str | None = None
    """`tool#action-id`; None for the request."""
    keys: bytes = b""
    """Concatenated value hashes, `KEY_BYTES` each, every one once."""
    complete: bool = True
    """False: the text was too long to be read to its end."""
    fields: bytes = b""
    """Of `keys`, those that stood alone in a field; not what the call itself had asked with."""
    told: bytes = b""
    """Of `keys`, those in sentences that tell the reader to do something; and the stems of these sentences' words."""
    spoken: bytes = b""
    """Of `keys`, what names one particular thing within a sentence that somebody wrote."""


class Provenance(Struct, frozen=True):
    """What is known of where a value came from."""

    origin: Origin
    source: str | None = None
    text: str = ""
    """The part of the value that decided, where the value has parts."""


class ProvenanceIndex(Struct, kw_only=True):
    """Value hash -> number of the source that mentioned it first, per kind of source."""

    tables: tuple[dict[bytes, int], dict[bytes, int], dict[bytes, int]] = field(default_factory=lambda: ({}, {}, {}))
    """By `Origin`: request, trusted, untrusted."""
    sources: dict[int, str] = field(default_factory=dict)
    """The latest `MAX_SOURCES` names; a value whose source's name was dropped keeps its origin."""
    source_count: int = 0
    dropped: bool = False
    fields: dict[bytes, None] = field(default_factory=dict)
    """Values that stood alone in a field of untrusted output."""
    told: dict[bytes, None] = field(default_factory=dict)
    """Values that untrusted output told its reader to do something with."""
    told_dropped: bool = False
    spoken: dict[bytes, None] = field(default_factory=dict)
    """Things that sentences of untrusted output name."""
    spoken_dropped: bool = False

    def add(self, sighting: Sighting) -> None:
        table = self.tables[sighting.origin]
        here = 0
        if sighting.source is not None:
            self.source_count = here = self.source_count + 1
            self.sources[here] = sighting.source
            if len(self.sources) > MAX_SOURCES:
                del self.sources[next(iter(self.sources))]
        keys = sighting.keys
        for at in range(0, len(keys), KEY_BYTES):
            table.setdefault(keys[at : at + KEY_BYTES], here)
        if len(table) > MAX_VALUES:
            for key in list(islice(table, len(table) - MAX_VALUES)):
                del table[key]
            self.dropped = True
        if not sighting.complete:
            self.dropped = True
            self.told_dropped = self.told_dropped or sighting.origin is Origin.UNTRUSTED
        _note(self.fields, sighting.fields)
        self.told_dropped = _note(self.told, sighting.told) or self.told_dropped
        self.spoken_dropped = _note(self.spoken, sighting.spoken) or self.spoken_dropped

    def find(self, key: bytes) -> Provenance | None:
        """The most trusted mention of a value."""
        for origin, table in zip(Origin, self.tables, strict=False):
            if key in table:
                return Provenance(origin, self.sources.get(table[key]))
        return None


def _note(table: dict[bytes, None], keys: bytes) -> bool:
    """Add keys; the oldest go beyond `MAX_VALUES`. True: some went."""
    for at in range(0, len(keys), KEY_BYTES):
        table[keys[at : at + KEY_BYTES]] = None
    over = len(table) - MAX_VALUES
    for key in list(islice(table, max(over, 0))):
        del table[key]
    return over > 0


class Hasher:
    """Value hashes of one session; the key keeps equal values of two sessions apart."""

    def __init__(self, workspace_id: str, session_id: str) -> None:
        self._key = blake2b(f"{workspace_id}\0{session_id}".encode(), digest_size=32).digest()

    def __call__(self, text: str) -> bytes:
        return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=KEY_BYTES, key=self._key).digest()

    def sight(
        self, texts: Iterable[str], origin: Origin, source: str | None, *, complete: bool, without: frozenset[bytes]
    ) -> Sighting:
        """Read what the texts mention, at most `MAX_VALUES` values, leaving out `without`."""
        keys, read = self.keys(texts)
        kept = b"".join(key for key in keys if key not in without)
        return Sighting(origin=origin, source=source, keys=kept, complete=complete and read)

    def wholes(self, texts: Iterable[str]) -> dict[bytes, None]:
        """Hashes of the texts that are short enough to be one value, of at most `MAX_VALUES` of them."""
        short = (text for text in texts if len(text) <= MAX_FIELD and "\n" not in text)
        return dict.fromkeys(map(self, filter(None, map(fold, islice(short, MAX_VALUES)))))

    def stems(self, texts: Iterable[str]) -> dict[bytes, None]:
        """Hashes of the words' stems, apart from those of values: see `stem`."""
        return dict.fromkeys(self.stem(one) for text in texts for one in stems(text))

    def stem(self, word: str) -> bytes:
        """A stem's hash: no value is hashed with such a beginning, so that none is taken for a stem."""
        return self(f"{STEM}{word}")

    def keys(self, texts: Iterable[str]) -> tuple[dict[bytes, None], bool]:
        """Hashes of the values that the texts mention, each once, in order; False: there were more than is read."""
        found: dict[bytes, None] = {}
        for count, text in enumerate(mentioned(texts)):
            if count == MAX_MENTIONS or len(found) == MAX_VALUES:
                return found, False
            if text:
                found[self(text)] = None
        return found, True


def mentioned(texts: Iterable[str]) -> Iterator[str]:
    """Every value the texts mention: each text as a whole, what it quotes, its tokens and what they bring along."""
    for text in texts:
        if len(text) <= MAX_WHOLE:
            yield fold(text)
        for token in tokens(text):
            yield token.text
            yield from token.also
            yield from token.parts
        yield from quoted(text)


def worst(found: Iterable[Provenance]) -> Provenance | None:
    """The least trusted. UNTRUSTED counts as worse than NOWHERE here: a made-up value beside it must not hide it."""
    return max(found, key=lambda one: (one.origin is Origin.UNTRUSTED, one.origin), default=None)


class Tracer:
    """Finds the origin of argument values in one index.

    `unknown` is the origin of a value that is found nowhere. `request` is the user's request as `phrase` has it.
    """

    def __init__(
        self, index: ProvenanceIndex, hasher: Hasher, request: str, unknown: Origin, *, fields: bool = False
    ) -> None:
        """`fields`: what stood alone in a field of untrusted output counts as from a trusted source."""
        self._index, self._hash, self._request, self._unknown = index, hasher, request, unknown
        self._fields = fields

    def trace(self, value: Any) -> Provenance:
        """Origin of any JSON value: of a list or object the least trusted of its leaves.

        True, false, null and nothing at all say too little to have an origin: NOWHERE.
        """
        match value:
            case bool() | None:
                return Provenance(Origin.NOWHERE)
            case str():
                return self._text(value)
            case int() | float():
                return self._find(number(value))
            case dict():
                inner = [*value.values(), *(key for key in value if not key.isidentifier())]
            case _:
                inner = list(value)
        return worst(map(self.trace, inner)) or Provenance(Origin.NOWHERE)

    def _text(self, text: str) -> Provenance:
        """As a whole if it was mentioned as a whole, else the least trusted of what it names.

        If it names particular things (addresses, links, paths, ids) those decide and the words around them do not;
        otherwise every word and number counts.
        """
        whole = self._whole(text) if len(text) <= MAX_WHOLE else None
        if whole is not None and whole.origin is not Origin.UNTRUSTED:
            return _of(whole, text)
        if _within(text, self._request):
            return Provenance(Origin.REQUEST, None, text)
        if whole is not None:
            return _of(whole, text)
        named = list(islice(tokens(text), MAX_MENTIONS + 1))
        if len(named) > MAX_MENTIONS:
            return Provenance(Origin.UNTRUSTED, None, text)
        strong = [token for token in named if token.strong]
        found = worst(map(self._token, strong or named))
        if found is None:
            return Provenance(self._unknown, None, text)
        return found if strong else _of(found, text)

    def _whole(self, text: str) -> Provenance | None:
        return self._lookup(self._hash(fold(text)), text)

    def _lookup(self, key: bytes, text: str) -> Provenance | None:
        found = self._index.find(key)
        index = self._index
        if self._fields and (found is None or found.origin is Origin.UNTRUSTED) and key in index.fields:
            if key in index.spoken:
                return found
            return Provenance(Origin.TRUSTED, None if found is None else found.source, text)
        return found

    def _token(self, token: Mention) -> Provenance:
        found = self._lookup(self._hash(token.text), token.text)
        if found is None and token.parts:
            found = worst(map(self._find, token.parts))
        return Provenance(self._unknown, None, token.text) if found is None else _of(found, token.text)

    def _find(self, text: str) -> Provenance:
        found = self._whole(text)
        return Provenance(self._unknown, None, text) if found is None else _of(found, text)


def _of(found: Provenance, text: str) -> Provenance:
    return Provenance(found.origin, found.source, text)


def _within(text: str, request: str) -> bool:
    """Do several words stand in the request side by side? Single words and ids are found as tokens."""
    words = phrase(text) if " " in text.strip() else ""
    return words.count(" ") > 2 and words in request

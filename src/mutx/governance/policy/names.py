"""Which rules' globs match a name: literals in a table, prefixes, suffixes and infixes by length, the rest one by one."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from mutx.governance.policy.globs import Glob, GlobKind, parse_glob
from mutx.governance.policy.postings import Posting, breathing, pack, to_bits, united

WINDOWS_UP_TO = 256
"""Longer names look for each infix instead of each of their own substrings."""


class NameTable:
    """The globs of one dimension over all rules. The cost of `match` grows with what matches, not with what does not."""

    __slots__ = ("_always", "_contains", "_general", "_literal", "_prefix", "_suffix", "bound")

    def __init__(self, patterns: Iterable[str]) -> None:
        """`patterns`: one per rule, by rank."""
        ranks: dict[str, list[int]] = defaultdict(list)
        size = 0
        for rank, pattern in enumerate(breathing(patterns)):
            ranks[pattern].append(rank)
            size = rank + 1
        tables: dict[GlobKind, dict[Glob, Posting]] = {kind: {} for kind in GlobKind}
        for pattern, members in breathing(ranks.items()):
            glob = parse_glob(pattern)
            tables[glob.kind][glob] = pack(members, size)
        self._always = 0
        for posting in tables[GlobKind.ANY].values():
            self._always = united(self._always, posting)
        self._literal = {glob.text: posting for glob, posting in tables[GlobKind.LITERAL].items()}
        self._prefix = _by_length(tables[GlobKind.PREFIX])
        self._suffix = _by_length(tables[GlobKind.SUFFIX])
        self._contains = _by_length(tables[GlobKind.CONTAINS])
        self._general = tuple(tables[GlobKind.GENERAL].items())
        self.bound = to_bits(range(size), size) & ~self._always
        """Rules that do not take every name."""

    def match(self, name: str) -> int:
        """Bits of the rules whose glob matches."""
        bits = self._always
        for posting in self._postings(name):
            bits = united(bits, posting)
        return bits

    def _postings(self, name: str) -> Iterator[Posting]:
        if name in self._literal:
            yield self._literal[name]
        for length, table in self._prefix.items():
            if name[:length] in table:
                yield table[name[:length]]
        for length, table in self._suffix.items():
            if name[-length:] in table:
                yield table[name[-length:]]
        for length, table in self._contains.items():
            yield from (table[part] for part in _infixes(name, length, table))
        for glob, posting in self._general:
            if glob.matches(name):
                yield posting


def _infixes(name: str, length: int, table: Mapping[str, Posting]) -> Iterable[str]:
    if len(name) > WINDOWS_UP_TO:
        return [part for part in table if part in name]
    windows = {name[at : at + length] for at in range(len(name) - length + 1)}
    return windows & table.keys()


def _by_length(table: Mapping[Glob, Posting]) -> dict[int, dict[str, Posting]]:
    found: dict[int, dict[str, Posting]] = defaultdict(dict)
    for glob, posting in table.items():
        found[len(glob.text)][glob.text] = posting
    return dict(found)

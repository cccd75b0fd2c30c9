"""Every code block of README.md and of the guides runs, in order, as a reader would run it, and says what the page says."""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import LANGUAGES, ROOT, is_shown, read_blocks
from tests.docs.terminal import Terminal

LINK = re.compile(r"\]\(([^)\s]+)\)")
REFERENCE = {"benchmarks", "names", "receipt-format"}
"""Pages to look things up in, which have nothing to run."""
PAGES = (ROOT / "README.md", *sorted(page for page in (ROOT / "docs").glob("*.md") if page.stem not in REFERENCE))


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """In a folder with a short name: the control plane's socket lies in it."""
    with tempfile.TemporaryDirectory(prefix="docs-") as folder:
        terminal = Terminal(Path(folder))
        yield terminal
        terminal.close()


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_blocks_run(page: Path, terminal: Terminal) -> None:
    blocks = read_blocks(page)
    assert {block.language for block in blocks} <= LANGUAGES
    for block in blocks:
        try:
            if block.language == "text":
                assert is_shown(block.text, terminal.output), f"not shown:\n{block.text}\nbut:\n{terminal.output}"
            else:
                terminal.run(block)
        except AssertionError as error:
            raise AssertionError(f"{page.name}, line {block.line}: {error}") from error


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = [link for link in LINK.findall(page.read_text("utf-8")) if "://" not in link]
    headings = {slug(line) for line in page.read_text("utf-8").splitlines() if line.startswith("#")}
    for link in links:
        path, _, anchor = link.partition("#")
        assert (page.parent / path).exists(), link
        assert path or anchor in headings, link


def slug(heading: str) -> str:
    """As GitHub makes anchors of headings."""
    return re.sub(r"[^a-z0-9 -]", "", heading.lstrip("# ").lower()).replace(" ", "-")


def test_no_page_is_forgotten() -> None:
    """Pages with code that others' tests run: the receipt format, the decision records, the benchmarks, the names."""
    others = {"receipt-format.md", "benchmarks.md", "names.md"}
    assert {page.name for page in (ROOT / "docs").glob("*.md")} - others <= {page.name for page in PAGES}


@pytest.mark.parametrize(
    ("expected", "output", "shown"),
    [
        ("a ... c", "x\na b c\ny", True),
        ("two\none", "one\ntwo", False),
        ("a  b", "a b", True),
        ("one\n...\nthree", "one\ntwo\nthree", True),
        ("b", "abc", False),
    ],
)
def test_output_is_compared_line_by_line(expected: str, output: str, shown: bool) -> None:
    assert is_shown(expected, output) is shown

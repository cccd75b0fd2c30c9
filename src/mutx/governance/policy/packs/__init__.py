"""The four usual policies, each as a PolicySet and as FPL: `pack("payments")`. A test holds that both decide alike."""

from importlib.resources import files

from mutx.kit.errors import NotFound

PACKS = ("starter", "payments", "infrastructure", "customer-support")


def pack(name: str, *, fpl: bool = False) -> str:
    """The text of a pack. Raises NotFound."""
    if name not in PACKS:
        raise NotFound(f"no pack {name!r}; there are {', '.join(PACKS)}")
    return (files(__name__) / f"{name}.{'fpl' if fpl else 'yaml'}").read_text("utf-8")

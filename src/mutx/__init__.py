"""MUTX: a control plane for AI agents.

    import mutx

    @mutx.govern
    def wire(amount: int, to: str) -> str: ...

Only the names an agent developer needs live here; they come from `mutx_agent`, which has no dependencies.
"""

from mutx_agent import ActionDenied, govern

__all__ = ["ActionDenied", "govern"]

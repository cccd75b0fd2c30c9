"""Coinbase AgentKit, without a change to the program: it has no hook of its own.

    mutx_agent.hooks.install("coinbase_agentkit")

`install` stands in the constructor of `Action`, so that whoever gets an action (from `AgentKit.get_actions`, an action
provider or a bridge to an agent framework) gets one whose `invoke` asks first. Actions made before that are not seen:
install first. AgentKit has no model of its own: a denied action raises ActionDenied, for the framework that runs it to
report. Changed arguments go through the action's schema.
"""

from collections.abc import Callable
from typing import Any

from mutx_agent.adapters._arguments import with_changes
from mutx_agent.adapters._common import Gate, ToolUse, raised
from mutx_agent.adapters._patch import Uninstall, installed, patch
from mutx_agent.adapters._probes import nothing, replaced
from mutx_agent.errors import ActionDenied
from mutx_agent.governor import Governor
from mutx_agent.transport.base import Json

RUNTIME = "coinbase_agentkit"


def install(governor: Governor | None = None) -> Uninstall:
    """Decide every action that is made from now on. Raises HookNotFound."""
    points = {"coinbase_agentkit.action_providers.action_provider:Action.__init__": _init}
    return patch("coinbase-agentkit", RUNTIME, governor, points)


def _init(original: Any, gate: Gate) -> Any:
    def init(self: Any, **fields: Any) -> None:
        if callable(fields.get("invoke")):
            fields["invoke"] = _asking(gate, self, fields["invoke"])
        original(self, **fields)

    return init


def _asking(gate: Gate, action: Any, invoke: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def ask(args: Any) -> Any:
        def execute(changed: Json | None) -> Any:
            if changed is None:
                return invoke(args)
            if action.args_schema is not None:
                action.args_schema.model_validate(changed)
            return invoke(with_changes(action.name, args, changed))

        return gate.run(lambda: ToolUse(action.name, args or {}), execute, raised)

    return ask


def probe_installed(governor: Governor, spy: Callable[[], None]) -> None:
    """Have an action provider's action call `spy`, with nothing but `install` (and without telling its maker)."""
    from coinbase_agentkit import ActionProvider, create_action
    from coinbase_agentkit.action_providers import action_decorator

    class Probes(ActionProvider):
        @create_action("probed", "Does what the proof watches.")
        def probed(self, args: Any) -> str:
            spy()
            return "ran"

        def supports_network(self, network: Any) -> bool:
            return True

    with installed(install, governor), replaced(action_decorator, send_analytics_event=nothing):
        wallet: Any = None
        (action,) = Probes("probes", []).get_actions(wallet)
        try:
            action.invoke({})
        except ActionDenied:
            return

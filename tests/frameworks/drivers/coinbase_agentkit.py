"""Coinbase AgentKit with an action provider of our own, and a wallet that has nothing; nothing is told to its maker."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any, ClassVar

from coinbase_agentkit import ActionProvider, AgentKit, AgentKitConfig, WalletProvider, create_action
from coinbase_agentkit.action_providers import action_decorator
from coinbase_agentkit.network import Network
from coinbase_agentkit.wallet_providers import wallet_provider
from pydantic import BaseModel

from mutx_agent import ActionDenied, Governor
from tests.frameworks.driver import Call, Driver, Scenario
from tests.frameworks.world import World

action_decorator.send_analytics_event = lambda event: None
wallet_provider.send_analytics_event = lambda event: None


class NoteSchema(BaseModel):
    key: str
    text: str


class NotesProvider(ActionProvider[WalletProvider]):
    def __init__(self, world: World) -> None:
        super().__init__("notes", [])
        self._world = world
        self.kit: AgentKit | None = None

    @create_action("put", "Write a note.", NoteSchema)
    def put(self, args: dict[str, Any]) -> str:
        return self._world.put(**args)

    @create_action("relay", "Pass it on.", NoteSchema)
    def relay(self, args: dict[str, Any]) -> str:
        assert self.kit is not None
        return str(_named(self.kit, "put").invoke(args))

    def supports_network(self, network: Network) -> bool:
        return True


class EmptyWallet(WalletProvider):
    def get_address(self) -> str:
        return "0x0"

    def get_network(self) -> Network:
        return Network(protocol_family="evm", network_id="none", chain_id="0")

    def get_balance(self) -> Decimal:
        return Decimal(0)

    def sign_message(self, message: str) -> str:
        raise NotImplementedError

    def get_name(self) -> str:
        return "empty"

    def native_transfer(self, to: str, value: Decimal) -> str:
        raise NotImplementedError


class CoinbaseAgentKitDriver(Driver):
    name = "coinbase_agentkit"
    distributions = ("coinbase-agentkit",)
    tool, relay = "NotesProvider_put", "NotesProvider_relay"
    patch = "coinbase_agentkit.Action.__init__, around what the action invokes"
    absent: ClassVar = {
        "async": "actions are synchronous",
        "async, sync tool": "actions are synchronous",
        "streaming": "actions answer at once",
        "handoff": "there are no agents",
    }
    out_of_reach = "actions made before `install`; code that calls an action provider's method itself"

    def run(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        return _play(scenario, world)

    async def arun(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        """Calls side by side, as bridges make them: from threads."""
        return _play(scenario, world)


def _play(scenario: Scenario, world: World) -> list[str]:
    notes = NotesProvider(world)
    notes.kit = AgentKit(AgentKitConfig(wallet_provider=EmptyWallet(), action_providers=[notes]))
    told: list[str] = []
    # Where an action has failed, its caller tries again.
    for calls in scenario.turns * (2 if scenario.flaky else 1):
        with ThreadPoolExecutor(len(calls)) as pool:
            told += [text for text in pool.map(lambda call: _invoke(notes.kit, call), calls) if text]
    return told


def _named(kit: Any, name: str) -> Any:
    return next(action for action in kit.get_actions() if action.name == f"NotesProvider_{name}")


def _invoke(kit: Any, call: Call) -> str | None:
    try:
        return str(_named(kit, call.tool).invoke(dict(call.args)))
    except ActionDenied as denial:
        return str(denial)
    except OSError:
        return None


DRIVER = CoinbaseAgentKitDriver()

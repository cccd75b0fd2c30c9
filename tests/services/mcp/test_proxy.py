"""Calls through the proxy: what is decided, what runs, what the client sees."""

from mcp.server import MCPServer

from tests.services.mcp.conftest import Desk, text_of


def bank(ran: list[object]) -> MCPServer:
    server = MCPServer("bank")

    @server.tool()
    def read_balance(account: str) -> str:
        """The balance of an account."""
        ran.append(("read", account))
        return f"{account}: 12.50"

    @server.tool()
    def pay(to: str, amount: int) -> str:
        """Pay somebody."""
        ran.append(("pay", to, amount))
        return "paid"

    @server.tool()
    def cap_payment(amount: int) -> str:
        """Pay a little."""
        ran.append(("cap", amount))
        return str(amount)

    @server.tool()
    def limit(amount: int) -> str:
        """Pay within a limit."""
        ran.append(("limit", amount))
        return "done"

    @server.tool()
    def drop() -> str:
        """Drop everything."""
        ran.append("drop")
        return "gone"

    return server


async def test_calls_are_decided_and_recorded(desk: Desk) -> None:
    name, ran = desk.name(), []
    async with desk.proxy({name: bank(ran)}, line={"session_id": f"story-{name}"}) as client:
        listed = [tool.name for tool in (await client.list_tools()).tools]
        assert listed == [f"{name}__{tool}" for tool in ("read_balance", "pay", "cap_payment", "limit")]
        read = await client.call_tool(f"{name}__read_balance", {"account": "ana"})
        assert (text_of(read), read.is_error) == ("ana: 12.50", False)
        assert read.meta["mutx/untrusted"] is True
        denied = await client.call_tool(f"{name}__drop", {})
        assert denied.is_error
        assert "nothing is dropped" in text_of(denied)
        assert text_of(await client.call_tool(f"{name}__cap_payment", {"amount": 50})) == "10"
        too_much = await client.call_tool(f"{name}__limit", {"amount": 50})
        assert too_much.meta["mutx/reason_code"] == "default"
    assert ran == [("read", "ana"), ("cap", 10)]

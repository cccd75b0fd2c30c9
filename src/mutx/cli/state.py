"""What every command shares: the address, the form of output, and the client."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from mutx.sdk.client import MutxClient

F = TypeVar("F", bound=Callable[..., Any])


class CliState:
    """One invocation. `client` is made when a command first needs it."""

    def __init__(self, client: "MutxClient | None" = None) -> None:
        self.as_json = False
        self.url: str | None = None
        self._client = client

    @property
    def client(self) -> "MutxClient":
        if self._client is None:
            from mutx.sdk.client import MutxClient

            self._client = MutxClient.local(url=self.url)
        return self._client

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def say(self, text: str) -> None:
        """News for a person; programs that asked for JSON get only JSON."""
        if not self.as_json:
            click.echo(text)

    def emit_json(self, value: Any) -> None:
        click.echo(json.dumps(value, ensure_ascii=False))


pass_state = click.make_pass_decorator(CliState, ensure=True)


def _note(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def keep(ctx: click.Context, _: click.Parameter, value: Any) -> None:
        if value:
            setattr(ctx.ensure_object(CliState), name, value)

    return keep


def shared_parameters() -> list[click.Parameter]:
    """`--json` and `--url`, understood by every command and before it."""
    return [
        click.Option(
            ["--json", "as_json"], is_flag=True, expose_value=False, callback=_note("as_json"), help="Answer in JSON."
        ),
        click.Option(
            ["--url"],
            expose_value=False,
            callback=_note("url"),
            help="The control plane's address, instead of the one you signed in to.",
        ),
    ]


def shared_options(function: F) -> F:
    """Give a hand-written command the shared options."""
    params: list[click.Parameter] = getattr(function, "__click_params__", [])
    function.__click_params__ = [*shared_parameters(), *params]  # type: ignore[attr-defined]
    return function

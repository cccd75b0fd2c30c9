"""A group that knows its commands by name and loads one only when it is called, so that `mutx --help` is quick."""

from collections.abc import Mapping
from importlib import import_module

import click
from click.exceptions import NoSuchCommand


class LazyGroup(click.Group):
    """`table`: command name -> (`module:attribute`, one line of help)."""

    def __init__(self, table: Mapping[str, tuple[str, str]], *, name: str, about: str, **options: object) -> None:
        super().__init__(name, help=about, **options)  # type: ignore[arg-type]
        self._table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._table:
            return None
        module, _, attribute = self._table[cmd_name][0].partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except NoSuchCommand as error:  # click compares with the commands that it was given, which are none here
            raise NoSuchCommand(error.command_name, possibilities=self._table, ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self._table.items()])

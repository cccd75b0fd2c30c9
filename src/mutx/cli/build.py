"""Contract operations as commands: path parameters become arguments, everything else options."""

import json
import sys
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

import click
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from mutx.cli.files import text_of
from mutx.cli.output import show
from mutx.cli.state import CliState, shared_parameters
from mutx.contract.base import WHOLE_TEXT
from mutx.contract.field_docs import field_docs
from mutx.contract.operation import BODY, Operation
from mutx.sdk.group import Group, methods

FIELD = "field_"
"""Prefix of a body field's name among a command's values: a path parameter may have the same name."""


class Plain(NamedTuple):
    """An annotation without `Annotated` and `None`."""

    kind: Any
    optional: bool


def plain(annotation: Any) -> Plain:
    if get_origin(annotation) is Annotated:
        return plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        inner = plain(kinds[0]).kind if len(kinds) == 1 else annotation
        return Plain(inner, optional=len(kinds) < len(get_args(annotation)))
    return Plain(annotation, optional=False)


def option(dest: str, name: str, annotation: Any, *, required: bool, about: str | None) -> click.Option:
    """One option whose text pydantic reads; only enums, flags and repeats are click's business."""
    kind = plain(annotation).kind
    flag = f"--{name.replace('_', '-')}"
    if kind is bool:
        return click.Option([f"{flag}/--no-{flag[2:]}", dest], default=None, required=required, help=about)
    if isinstance(kind, type) and issubclass(kind, Enum):
        choice = click.Choice([str(member.value) for member in kind])
        return click.Option([flag, dest], type=choice, required=required, help=about)
    if get_origin(kind) is list and get_args(kind)[0] is str:
        return click.Option([flag, dest], multiple=True, required=required, help=about)
    metavar = {int: "INTEGER", float: "NUMBER", str: "TEXT"}.get(kind, "TEXT" if _is_word(kind) else "JSON")
    return click.Option([flag, dest], metavar=metavar, required=required, help=about)


def _is_word(kind: Any) -> bool:
    """Written without quotes: UUIDs, times and the like."""
    return isinstance(kind, type) and not issubclass(kind, dict | list | BaseModel)


def value_of(annotation: Any, text: Any) -> Any:
    """The value that an option's text means. JSON where the shape is an object or a list."""
    kind = plain(annotation).kind
    adapter: TypeAdapter[Any] = TypeAdapter(annotation)
    if isinstance(text, str) and not _is_word(kind) and kind is not Any:
        try:
            return adapter.validate_python(json.loads(text))
        except json.JSONDecodeError:
            return adapter.validate_python(text)
    return adapter.validate_python(list(text) if isinstance(text, tuple) else text)


def command(name: str, op: Operation[Any, Any]) -> click.Command:
    """The command that performs `op`."""
    params: list[click.Parameter] = [click.Argument([each]) for each in op.parameters if each in op.path_parameters]
    for each, parameter in op.parameters.items():
        if each == BODY:
            params += _body_options(parameter.annotation)
        elif each not in op.path_parameters:
            required = parameter.default is parameter.empty
            params.append(option(each, each, parameter.annotation, required=required, about=None))

    @click.pass_obj
    def run(state: CliState, /, **given: Any) -> None:
        try:
            arguments = _arguments(op, given)
        except ValidationError as error:
            raise click.UsageError(problems_of(error)) from error
        transport = state.client.transport
        if op.stream:
            for event in transport.stream(op, **arguments):
                show(state, event)
        else:
            show(state, transport.call(op, **arguments))

    return click.Command(name, params=[*params, *shared_parameters()], callback=run, help=op.doc)


def problems_of(error: ValidationError) -> str:
    """What does not fit, in one line."""
    found = ((".".join(map(str, one["loc"])), one["msg"]) for one in error.errors())
    return "; ".join(f"{place}: {text}" if place else text for place, text in found)


def _body_options(annotation: Any) -> list[click.Parameter]:
    """An option for each field, and `--body` for the whole at once."""
    kind = plain(annotation).kind
    whole = click.Option(["--body"], metavar="JSON|@FILE|-", help="The whole body instead of its fields.")
    told = field_docs(kind)
    fields = [
        option(FIELD + field, field, info.annotation, required=False, about=info.description or told.get(field))
        for field, info in kind.model_fields.items()
        if info.repr  # secrets do not belong on a command line: they are asked for
    ]
    return [*fields, whole]


def _arguments(op: Operation[Any, Any], given: dict[str, Any]) -> dict[str, Any]:
    """What the operation is called with. Raises ValidationError for texts that do not fit, UsageError for the body."""
    fields = {
        name.removeprefix(FIELD): given[name]
        for name in given
        if name.startswith(FIELD) and given[name] not in (None, ())
    }
    body_text = given.pop("body", None)
    arguments = {
        name: value_of(op.parameters[name].annotation, text)
        for name, text in given.items()
        if not name.startswith(FIELD) and text is not None
    }
    if op.body_parameter is not None:
        arguments[BODY] = _body(op.body_parameter.annotation, fields, body_text)
    return arguments


def _body(annotation: Any, fields: dict[str, Any], text: str | None) -> Any:
    kind, optional = plain(annotation)
    if text is not None:
        if fields:
            raise click.UsageError("give the body whole with --body, or its fields, not both")
        return TypeAdapter(annotation).validate_json(read_text(text))
    if not fields and optional:
        return None
    infos = kind.model_fields
    values = {name: value_of(infos[name].annotation, each) for name, each in fields.items()}
    secrets = {name: _asked(name, info) for name, info in infos.items() if not info.repr and info.is_required()}
    return kind.model_validate(values | secrets)


def read_text(source: str) -> str:
    """The text itself, of `@file`, or of standard input for `-`."""
    if source == "-":
        return sys.stdin.read()
    if source.startswith("@"):
        return text_of(Path(source[1:]))
    return source


def _asked(name: str, info: FieldInfo) -> str:
    """What does not belong on a command line: a text of many lines is read to its end."""
    if info.json_schema_extra != WHOLE_TEXT:
        return ask_secret(name)
    if sys.stdin.isatty():
        click.echo(f"{name.replace('_', ' ').capitalize()}, then an end of file (Ctrl-D):", err=True)
    return sys.stdin.read()


def ask_secret(name: str) -> str:
    """From the keyboard without echo, or a line of standard input where there is no keyboard."""
    if sys.stdin.isatty():
        return str(click.prompt(name.replace("_", " ").capitalize(), hide_input=True))
    return sys.stdin.readline().rstrip("\n")


class FamilyGroup(click.Group):
    """A resource family's commands, under the SDK's method names and, for those who know the API, the operations' own."""

    def __init__(self, name: str, api: type[Group[Any]], about: str, **options: Any) -> None:
        operations = methods(api)
        commands = [command(_dashed(method), op) for method, op in operations.items()]
        super().__init__(name, help=about, commands=commands, **options)
        self._synonyms = {_dashed(op.name): _dashed(method) for method, op in operations.items()}

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, cmd_name) or super().get_command(ctx, self._synonyms.get(cmd_name, ""))


def _dashed(name: str) -> str:
    return name.replace("_", "-")

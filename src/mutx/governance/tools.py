"""What a policy declares of a tool: parameters, risk, labels in and out, critical arguments, a tool it wraps."""

from enum import StrEnum

from msgspec import Struct

from mutx.governance.requested import RequestWords
from mutx.governance.types import Confidentiality, Label, Risk


class ParameterType(StrEnum):
    STRING = "string"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    ARRAY = "array"
    OBJECT = "object"
    ANY = "any"


class ParameterConstraint(Struct, frozen=True, kw_only=True):
    """What one argument must look like. Patterns are RE2 and match the whole value."""

    name: str
    type: ParameterType = ParameterType.ANY
    required: bool = False
    min_value: float | None = None
    max_value: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    """Characters of a string, items of an array, keys of an object."""
    pattern: str | None = None
    allowed_values: tuple[str | float | int | bool, ...] | None = None
    blocked_values: tuple[str | float | int | bool, ...] | None = None


class MetaTool(Struct, frozen=True, kw_only=True):
    """A tool that carries another tool's name in its arguments; paths are dotted."""

    tool: str
    args: str | None = None
    prefix: str = ""
    """Put before the inner name: `{prefix}{inner}`."""


class Access(StrEnum):
    READ = "read"
    WRITE = "write"
    DELETE = "delete"


class ToolSchema(Struct, frozen=True, kw_only=True):
    """One declared tool. `name` may be a glob; the most specific declaration wins."""

    name: str
    description: str = ""
    category: str = "general"
    risk: Risk = Risk.LOW
    requires_approval: bool = False
    approval_timeout_seconds: int = 300
    parameters: tuple[ParameterConstraint, ...] = ()
    additional_parameters: bool = True
    """False refuses arguments that no parameter names."""
    access: Access | None = None
    resource: str | None = None
    """Dotted path of the argument that names the resource (for data-access records)."""
    output: Label | None = None
    """Label of what the tool returns; None: no classifier answers, so RESTRICTED and untrusted."""
    sink: Confidentiality | None = None
    """The most confidential data this tool may be given once the session holds it; None: not a sink."""
    destination: str | None = None
    """Dotted path of the argument that says where a sink hands its data."""
    internal: tuple[str, ...] = ()
    """Globs of destinations that are no outsiders: to them `sink` does not apply."""
    declassifies: Confidentiality | None = None
    """A declared declassifier: once it ran, the session counts as holding nothing more confidential than this."""
    accepts_untrusted: bool = True
    """False forbids the call while any argument holds a value known only from untrusted output."""
    critical: tuple[str, ...] = ()
    """Dotted paths of arguments that must not come from untrusted output alone."""
    ask_unknown: bool = False
    """Ask as well about critical values that no one has mentioned before."""
    ask_invented: bool = False
    """Of those, ask about an address, a link, an account or an id once untrusted output was seen: where that came from,
    in whatever spelling, nobody can tell."""
    referable: tuple[str, ...] = ()
    """Critical arguments that may hold what stood alone in a field of untrusted output, as an address in a list of
    participants does and one within a message does not."""
    selectable: tuple[str, ...] = ()
    """Critical arguments that may hold whatever untrusted output mentioned: a choice among what was found."""
    lines: bool = False
    """Of a reading tool: its output is text that the tool itself lays out, so every line of it is a field."""
    records: bool = False
    """Of a tool that returns what others wrote: JSON that it hands over as text is laid out by the tool, and so are the
    labelled lines above the texts. Never for a tool that returns a document as it is."""
    ask_instructed: bool = False
    """Ask as well while untrusted output told its reader to do something with the values of this call."""
    ask_hearsay: bool = False
    """Ask as well about any argument that holds a number, date or code which only the texts of untrusted output mention."""
    requested_by: RequestWords | None = None
    """Ask as well unless the user's request has such words; None: whatever was requested."""
    meta: MetaTool | None = None

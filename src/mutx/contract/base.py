"""Shapes that every resource family shares."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Self, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

T = TypeVar("T")


def _in_utc(moment: datetime) -> datetime:
    """Refuses moments that exist in their own zone only: before year 1 or after 9999 in UTC."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("this moment lies outside the calendar") from None


Timestamp = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""RFC 3339 on the wire; accepts seconds since the epoch, as `kit.clock` gives them."""

WHOLE_TEXT: dict[str, JsonValue] = {"contentMediaType": "text/plain"}
"""`json_schema_extra` of a field that holds a text of many lines (JSON Schema 2020-12, validation, 8.4)."""

Skip = Annotated[int, Field(ge=0, le=1_000_000, description="How many to leave out from the start.")]
Limit = Annotated[int, Field(ge=1, le=200, description="How many to answer at most.")]


class Schema(BaseModel):
    """What the server answers. Tolerant, so that an older client reads a newer server; built from rows by attribute."""

    model_config = ConfigDict(frozen=True, extra="ignore", from_attributes=True)


class Input(BaseModel):
    """What a client sends. A field that nobody declared is a mistake and is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_max_length=1_000_000)


class Page(Schema, Generic[T]):
    """A slice of a list. `total` counts all that match."""

    items: list[T]
    total: int
    skip: int
    limit: int
    has_more: bool

    @classmethod
    def of(cls, items: Sequence[Any], total: int, skip: int, limit: int, **more: Any) -> Self:
        """The page that `items` are; they may be rows. `more` fills the fields a subclass adds."""
        fields = {"total": total, "skip": skip, "limit": limit, "has_more": skip + len(items) < total}
        return cls.model_validate({"items": list(items), **fields, **more})


class Problem(Schema):
    """Every error, on every door. `code` is stable; `message` says what to do next."""

    code: str
    message: str
    details: dict[str, Any] = {}
    request_id: str = ""
    timestamp: Timestamp | None = None
    """When the server answered; nothing from servers that did not say."""
    detail: str = ""
    """The same as `message`, for clients that read FastAPI's field."""


class Message(Schema):
    message: str

"""Identifiers and secrets.

Ids are UUIDv7 (RFC 9562 §5.7): they sort by time, so indexes on them stay append-mostly.
"""

import secrets
from uuid import UUID

import uuid_utils


def new_id() -> str:
    """A UUIDv7 as 36 characters of text."""
    return str(uuid_utils.uuid7())


def new_uuid() -> UUID:
    return UUID(new_id())


def new_token(size: int = 24) -> str:
    """`size` random bytes, URL-safe; names a thing and grants nothing by itself."""
    return secrets.token_urlsafe(size)


def is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except (ValueError, AttributeError):
        return False

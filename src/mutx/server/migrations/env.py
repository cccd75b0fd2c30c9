"""What alembic runs. The connection comes from `run.upgrade`, which is called by the server and by tests."""

from typing import Any, Literal

from alembic import context

from mutx.server.tables import METADATA
from mutx.storage.tables import UtcDateTime


def render_item(kind: str, item: Any, _autogenerate: Any) -> str | Literal[False]:
    """Revisions name the database's own types: they must not change when a class of ours does."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    render_item=render_item,
    render_as_batch=True,
    compare_type=True,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()

"""The append function keeps its plans from the first call on.

Left to itself, the server compared them with new ones made for every group, found those cheaper on paper, and planned each
of the function's statements again and again: a tenth of a group's time. No plan depends on what a group holds; all are
nested loops over indexes (revision 0006).
"""

from importlib import import_module

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_first = import_module("mutx.server.migrations.versions.0006_ledger_append")

TYPES = _first.TYPES
NUMBERED = _first.NUMBERED
NUMBERED_FIRST = _first.NUMBERED_FIRST
APPEND = _first.APPEND.replace("= off AS $append$", "= off SET plan_cache_mode = force_generic_plan AS $append$")
with_names = _first.with_names


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER FUNCTION ledger_append SET plan_cache_mode = force_generic_plan")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER FUNCTION ledger_append RESET plan_cache_mode")

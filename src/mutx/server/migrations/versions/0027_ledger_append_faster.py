"""The append function of revision 0006 at two thirds of its time: it keeps its plans, and turns are simply inserted.

Left to itself the server compared each kept plan with one made for the group at hand, found that cheaper on paper, and
planned every statement of every group again. No plan depends on what a group holds.

A turn whose action is on record met `ON CONFLICT`, which costs every other turn a second look at its index. Now it fails the
attempt, as it did in the end; the index that says so names the reason.
"""

from importlib import import_module

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_first = import_module("mutx.server.migrations.versions.0006_ledger_append")

PLANS = ("= off AS $append$", "= off SET plan_cache_mode = force_generic_plan AS $append$")
INSERTED = ("        WITH new AS (INSERT INTO ledger_turns (", "        INSERT INTO ledger_turns (")
NOT_RETURNED = (
    """
        ON CONFLICT (workspace_id, action_id, kind) WHERE kind <> 'resolution' DO NOTHING RETURNING receipt_id)
        SELECT array_agg(receipt_id) INTO written FROM new;
        IF coalesce(cardinality(written), 0) < cardinality(array_positions(refusals, NULL)) THEN
            FOR i IN SELECT u.n FROM unnest(turns) WITH ORDINALITY AS u(@turn, n)
                WHERE refusals[u.n] IS NULL AND u.receipt_id <> ALL (coalesce(written, '{}'))
            LOOP
                known[i] := 'duplicate';
            END LOOP;
            RAISE SQLSTATE 'MX001';
        END IF;
""",
    ";\n",
)
NOT_COUNTED = ("    written text[];\n", "")
FOUND_OUT = (
    """    EXCEPTION WHEN SQLSTATE 'MX001' THEN
        NULL;
""",
    """    EXCEPTION WHEN unique_violation THEN
        GET STACKED DIAGNOSTICS place = CONSTRAINT_NAME;
        IF place IS DISTINCT FROM 'uq_ledger_turns_action' THEN
            RAISE;
        END IF;
        FOR i IN SELECT u.n FROM unnest(turns) WITH ORDINALITY AS u(@turn, n)
            WHERE refusals[u.n] IS NULL AND EXISTS (SELECT FROM ledger_turns r WHERE r.workspace_id = u.workspace_id
                AND r.action_id = u.action_id AND r.kind = u.kind AND r.kind <> 'resolution')
        LOOP
            known[i] := 'duplicate';
        END LOOP;
        IF NOT FOUND THEN
            RAISE;
        END IF;
""",
)


def changed(sql: str) -> str:
    """The function of revision 0006 with each of these changes."""
    for old, new in (PLANS, INSERTED, NOT_RETURNED, NOT_COUNTED, FOUND_OUT):
        before, found, after = sql.partition(old)
        assert found
        sql = before + new + after
    return sql


TYPES = _first.TYPES
NUMBERED = _first.NUMBERED
NUMBERED_FIRST = _first.NUMBERED_FIRST
APPEND = changed(_first.APPEND)
with_names = _first.with_names


def upgrade() -> None:
    _write(APPEND)


def downgrade() -> None:
    _write(_first.APPEND)


def _write(append: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(with_names(append).replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1))

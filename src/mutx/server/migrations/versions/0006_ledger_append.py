"""The ledger's append on PostgreSQL: one function that takes a whole group of turns and writes what is right of it.

SQLite has no functions and needs none: there one process writes, statement by statement (`storage/ledger_writes.py`).
"""

from alembic import op

revision = "0006"
down_revision = "0004"
branch_labels = None
depends_on = None

TYPES = {
    "ledger_append_turn": """workspace_id text, session_id text, prev text, through_closed boolean, seq integer,
        kind text, action_id text, receipt_id text, receipt_hash text, tool_name text, agent_id text, user_id text,
        decided_by text, effect text, at double precision, permit_expires_at double precision, grant_id text,
        permits integer, denials integer, defers integer, errors integer, drifts integer""",
    "ledger_append_content": "body bytea, envelope bytea, sealed bytea, snapshot bytea",
    "ledger_append_charge": """turn integer, workspace_id text, key text, amount bigint, most bigint,
        window_end double precision""",
    "ledger_append_request": """turn integer, id text, workspace_id text, token text, session_id text, agent_id text,
        action_id text, status text, due_at double precision, expires_at double precision,
        escalates_at double precision, created_at double precision, revision integer, body json""",
    "ledger_append_grant": """turn integer, id text, workspace_id text, agent_id text, tool_name text,
        expires_at double precision, uses_left integer, body json""",
    "ledger_append_event": """turn integer, topic text, workspace_id text, at double precision, payload json""",
}
"""What the function takes, in arrays; `turn` is a place in the array of turns, from 1. Turns of one session follow on one
another; their contents lie beside them, because turns are looked through several times. A charge without `window_end` is a reading: what the turn was decided on, and nothing is taken."""

# Locks are taken in one order by every writer, so that no two wait for each other: sessions, counters, requests, grants,
# each sorted, then the index of actions, sorted as well. What is read to judge a turn is read after its lock was granted:
# a statement of its own sees what was committed until then. The planner is held to nested loops over indexes, because
# these plans are kept and the tables start out empty; where several indexes could serve, a comparison that no index can
# answer leaves it only the right one. An action that is on record shows when its turn meets the unique index: then the
# attempt is undone and the next one knows (`known`).
APPEND = """
CREATE FUNCTION ledger_append(again boolean, turns ledger_append_turn[], contents ledger_append_content[],
    charges ledger_append_charge[], requests ledger_append_request[], grants ledger_append_grant[], events ledger_append_event[],
    OUT refusals text[], OUT counted bigint[])
LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $append$
#variable_conflict use_column
DECLARE
    known text[];
    written text[];
    made bigint[];
    t record;
    i integer;
    place text;
    tip text;
    why text;
BEGIN
    known := array_fill(NULL::text, ARRAY[cardinality(turns)]);

    IF again THEN
        FOR i IN SELECT u.n FROM unnest(turns) WITH ORDINALITY AS u(@turn, n)
            WHERE EXISTS (SELECT FROM ledger_turns r WHERE r.workspace_id = u.workspace_id
                AND r.session_id = u.session_id AND r.seq = u.seq AND r.receipt_hash = u.receipt_hash)
        LOOP
            known[i] := 'recorded';
        END LOOP;
    END IF;

    LOOP
    BEGIN
        refusals := known;
        WITH new AS (
            INSERT INTO ledger_sessions (workspace_id, session_id, agent_id, user_id, head, seq, permits, denials, defers,
                errors, drifts, created_at, updated_at)
            SELECT u.workspace_id, u.session_id, u.agent_id, u.user_id, u.prev, 0, 0, 0, 0, 0, 0, u.at, u.at
            FROM unnest(turns) u WHERE u.seq = 1 ORDER BY u.workspace_id, u.session_id
            ON CONFLICT (workspace_id, session_id) DO NOTHING RETURNING id)
        SELECT array_agg(id) INTO made FROM new;

        PERFORM FROM ledger_sessions s
            JOIN (SELECT DISTINCT u.workspace_id, u.session_id FROM unnest(turns) u) x
            ON s.workspace_id = x.workspace_id AND s.session_id = x.session_id
            ORDER BY s.workspace_id, s.session_id FOR NO KEY UPDATE OF s;
        IF cardinality(charges) > 0 THEN
            INSERT INTO ledger_counters (workspace_id, key, value, window_end)
                SELECT DISTINCT ON (c.workspace_id, c.key) c.workspace_id, c.key, 0, c.window_end FROM unnest(charges) c
                WHERE c.window_end IS NOT NULL ORDER BY c.workspace_id, c.key
                ON CONFLICT (workspace_id, key) DO NOTHING;
            PERFORM FROM ledger_counters k
                JOIN (SELECT DISTINCT c.workspace_id, c.key FROM unnest(charges) c WHERE c.window_end IS NOT NULL) x
                ON k.workspace_id = x.workspace_id AND k.key = x.key
                ORDER BY k.workspace_id, k.key FOR NO KEY UPDATE OF k;
        END IF;
        IF cardinality(requests) > 0 THEN
            PERFORM FROM approval_requests a JOIN (SELECT DISTINCT r.id FROM unnest(requests) r) x ON a.id = x.id
                ORDER BY a.id FOR NO KEY UPDATE OF a;
        END IF;
        IF EXISTS (SELECT FROM unnest(turns) u WHERE u.grant_id IS NOT NULL) THEN
            PERFORM FROM standing_grants g
                JOIN (SELECT DISTINCT u.grant_id FROM unnest(turns) u WHERE u.grant_id IS NOT NULL) x ON g.id = x.grant_id
                ORDER BY g.id FOR NO KEY UPDATE OF g;
        END IF;

        place := NULL;
        FOR t IN
            SELECT u.n, u.workspace_id, u.session_id, u.prev, u.through_closed, u.receipt_hash, u.grant_id, u.at,
                s.head AS stored_head, s.closed_at IS NOT NULL AS closed
            FROM unnest(turns) WITH ORDINALITY AS u(@turn, n)
            LEFT JOIN ledger_sessions s ON s.workspace_id = u.workspace_id AND s.session_id = u.session_id
            ORDER BY u.n
        LOOP
            i := t.n;
            IF place IS DISTINCT FROM t.workspace_id || ' ' || t.session_id THEN
                place := t.workspace_id || ' ' || t.session_id;
                tip := t.stored_head;
            END IF;
            CONTINUE WHEN refusals[i] IS NOT NULL;
            why := CASE WHEN tip IS DISTINCT FROM t.prev OR (t.closed AND NOT t.through_closed) THEN 'head' END;
            IF why IS NULL AND cardinality(requests) > 0 AND EXISTS (SELECT FROM unnest(requests) r
                LEFT JOIN approval_requests a ON a.id = r.id
                WHERE r.turn = i AND (r.revision <> coalesce(a.revision + 1, 0)
                    OR a.workspace_id <> r.workspace_id))
            THEN
                why := 'request';
            END IF;
            IF why IS NULL AND cardinality(charges) > 0 AND EXISTS (SELECT FROM unnest(charges) c
                LEFT JOIN ledger_counters k ON k.workspace_id = c.workspace_id AND k.key = c.key
                WHERE c.turn = i AND coalesce(k.value, 0) + c.amount > c.most)
            THEN
                why := 'limit';
            END IF;
            IF why IS NULL AND t.grant_id IS NOT NULL THEN
                UPDATE standing_grants g SET uses_left = g.uses_left - 1
                    WHERE g.id = t.grant_id AND g.workspace_id IS NOT DISTINCT FROM t.workspace_id AND g.uses_left > 0
                    AND g.revoked_at IS NULL AND g.expires_at > t.at;
                IF NOT FOUND THEN
                    why := 'grant';
                END IF;
            END IF;
            refusals[i] := why;
            CONTINUE WHEN why IS NOT NULL;
            tip := t.receipt_hash;
            IF cardinality(charges) > 0 THEN
                UPDATE ledger_counters k SET value = k.value + c.amount, window_end = c.window_end FROM unnest(charges) c
                    WHERE c.turn = i AND c.window_end IS NOT NULL AND k.workspace_id = c.workspace_id AND k.key = c.key;
            END IF;
            IF cardinality(requests) > 0 THEN
                INSERT INTO approval_requests (id, workspace_id, token, session_id, agent_id, action_id, status, due_at,
                    expires_at, escalates_at, created_at, revision, body)
                SELECT r.id, r.workspace_id, r.token, r.session_id, r.agent_id, r.action_id, r.status, r.due_at,
                    r.expires_at, r.escalates_at, r.created_at, r.revision, r.body FROM unnest(requests) r WHERE r.turn = i
                ON CONFLICT (id) DO UPDATE SET status = excluded.status, due_at = excluded.due_at,
                    escalates_at = excluded.escalates_at, revision = excluded.revision, body = excluded.body;
            END IF;
            IF cardinality(grants) > 0 THEN
                INSERT INTO standing_grants (id, workspace_id, agent_id, tool_name, expires_at, uses_left, body)
                    SELECT g.id, g.workspace_id, g.agent_id, g.tool_name, g.expires_at, g.uses_left, g.body
                    FROM unnest(grants) g WHERE g.turn = i;
            END IF;
        END LOOP;

        WITH new AS (INSERT INTO ledger_turns (workspace_id, session_id, seq, kind, action_id, receipt_id, receipt_hash, tool_name,
            agent_id, user_id, decided_by, effect, at, permit_expires_at, body, envelope, sealed)
        SELECT u.workspace_id, u.session_id, u.seq, u.kind, u.action_id, u.receipt_id, u.receipt_hash, u.tool_name,
            u.agent_id, u.user_id, u.decided_by, u.effect, u.at, u.permit_expires_at, u.body, u.envelope, u.sealed
        FROM ROWS FROM (unnest(turns), unnest(contents), unnest(refusals)) AS u(@turn, @content, refusal)
        WHERE u.refusal IS NULL ORDER BY u.workspace_id, u.action_id, u.seq
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

        UPDATE ledger_sessions s SET head = x.hashes[1], seq = x.seq, updated_at = x.at, permits = s.permits + x.permits,
            denials = s.denials + x.denials, defers = s.defers + x.defers, errors = s.errors + x.errors,
            drifts = s.drifts + x.drifts
        FROM (SELECT u.workspace_id, u.session_id, array_agg(u.receipt_hash ORDER BY u.seq DESC) AS hashes,
                max(u.seq) AS seq, max(u.at) AS at, sum(u.permits) AS permits, sum(u.denials) AS denials,
                sum(u.defers) AS defers, sum(u.errors) AS errors, sum(u.drifts) AS drifts
            FROM ROWS FROM (unnest(turns), unnest(refusals)) AS u(@turn, refusal)
            WHERE u.refusal IS NULL GROUP BY u.workspace_id, u.session_id) x
        WHERE s.workspace_id = x.workspace_id AND s.session_id = x.session_id;

        INSERT INTO ledger_snapshots AS p (workspace_id, session_id, seq, context)
        SELECT DISTINCT ON (u.workspace_id, u.session_id) u.workspace_id, u.session_id, u.seq, u.snapshot
        FROM ROWS FROM (unnest(turns), unnest(contents), unnest(refusals)) AS u(@turn, @content, refusal)
        WHERE u.refusal IS NULL AND u.snapshot IS NOT NULL ORDER BY u.workspace_id, u.session_id, u.seq DESC
        ON CONFLICT (workspace_id, session_id) DO UPDATE SET seq = excluded.seq, context = excluded.context;

        INSERT INTO outbox (topic, workspace_id, at, payload)
            SELECT e.topic, e.workspace_id, e.at, e.payload FROM unnest(events) e WHERE refusals[e.turn] IS NULL;

        IF made IS NOT NULL THEN
            DELETE FROM ledger_sessions WHERE id = ANY (made) AND seq = 0;
        END IF;
        EXIT;
    EXCEPTION WHEN SQLSTATE 'MX001' THEN
        NULL;
    END;
    END LOOP;

    IF cardinality(charges) > 0 THEN
        counted := ARRAY(SELECT coalesce(k.value, 0) FROM unnest(charges) WITH ORDINALITY AS c(@charge, n)
            LEFT JOIN ledger_counters k ON k.workspace_id = c.workspace_id AND k.key = c.key ORDER BY c.n);
    END IF;
END
$append$
"""

# An event's number is taken before its transaction ends, so a smaller number may become visible after a larger one. The
# reader waits for every transaction that has begun (`storage/pg_ledger_outbox.py`); it sees one once it has an id of its
# own, which is why it gets one before it takes a number.
NUMBERED = """
CREATE FUNCTION outbox_numbered() RETURNS trigger LANGUAGE plpgsql AS $numbered$
BEGIN
    PERFORM pg_current_xact_id();
    RETURN NULL;
END
$numbered$
"""

NUMBERED_FIRST = """CREATE TRIGGER outbox_numbered BEFORE INSERT ON outbox
    FOR EACH STATEMENT EXECUTE FUNCTION outbox_numbered()"""

BUSY_TABLES = ("ledger_sessions", "ledger_counters")
"""Their rows are rewritten all the time; room on the page keeps the rewriting out of the indexes."""


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for name, columns in TYPES.items():
        op.execute(f"CREATE TYPE {name} AS ({columns})")
    op.execute(with_names(APPEND))
    op.execute(NUMBERED)
    op.execute(NUMBERED_FIRST)
    for table in BUSY_TABLES:
        op.execute(f"ALTER TABLE {table} SET (fillfactor = 70)")
    # Compressing each turn on the way in costs more than all its indexes; only large ones are worth it.
    op.execute("ALTER TABLE ledger_turns SET (toast_tuple_target = 8160)")


def downgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("ALTER TABLE ledger_turns RESET (toast_tuple_target)")
    for table in BUSY_TABLES:
        op.execute(f"ALTER TABLE {table} RESET (fillfactor)")
    op.execute("DROP TRIGGER outbox_numbered ON outbox")
    op.execute("DROP FUNCTION outbox_numbered")
    op.execute("DROP FUNCTION ledger_append")
    for name in TYPES:
        op.execute(f"DROP TYPE {name}")


def with_names(sql: str) -> str:
    """`@turn` and its like stand for the columns of those types: an alias has to repeat them."""
    for name in ("turn", "content", "charge"):
        columns = TYPES[f"ledger_append_{name}"].split(",")
        sql = sql.replace(f"@{name}", ", ".join(column.split()[0] for column in columns))
    return sql

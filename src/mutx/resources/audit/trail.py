"""Appends to the audit chains, in the unit of work of what is told, and signs their new ends."""

from collections.abc import Sequence
from itertools import groupby

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.governance.audit.head import open_head, sign_head
from mutx.governance.commitments import Salts
from mutx.governance.keys import KeyRing
from mutx.governance.ports import Signer
from mutx.governance.turn import Event
from mutx.kit.clock import Clock
from mutx.kit.errors import VerificationFailed
from mutx.resources.audit.chain import head_of, place_row
from mutx.resources.audit.entries import entry
from mutx.resources.audit.models import AuditChainRow, AuditEventRow
from mutx.services.identity.sealing import Sealer

FAMILY = "audit."
HEAD_INVALID = "AUDIT_HEAD_INVALID"
_OPEN = text(
    "INSERT INTO audit_chains (workspace_id, sequence, base) VALUES (:workspace_id, 0, 0) ON CONFLICT DO NOTHING"
)


class AuditTrail:
    """The writing side of the log. What it appends is committed, or undone, with the session it is given."""

    def __init__(self, signer: Signer, keys: KeyRing, sealer: Sealer, clock: Clock) -> None:
        self._signer = signer
        self._keys = keys
        self._sealer = sealer
        self._clock = clock
        self._salts = Salts()

    async def hear(self, session: AsyncSession, events: Sequence[Event]) -> None:
        """Append the `audit.*` events among `events`; fit for `storage.outbox`'s `HEAR`."""
        told = [event for event in events if event.topic.startswith(FAMILY)]
        for workspace_id, own in groupby(sorted(told, key=_workspace), key=_workspace):
            await self.append(session, workspace_id, list(own))

    async def append(self, session: AsyncSession, workspace_id: str, events: Sequence[Event]) -> Sequence[str]:
        """Append what is not there yet, in order; returns the ids of what was. Holds the chain until the session ends."""
        chain = await self.hold(session, workspace_id)
        known = set(await _known(session, workspace_id, [entry(event).event_id for event in events]))
        added: list[str] = []
        for event in events:
            row = entry(event)
            if row.event_id not in known:
                known.add(row.event_id)
                added.append(row.event_id)
                self._place(session, chain, row, event)
        if added:
            self.sign(chain)
            await session.flush()
        return added

    async def hold(self, session: AsyncSession, workspace_id: str) -> AuditChainRow:
        """The chain's end, locked. An end that no trusted key signed is written into the chain for good."""
        await session.execute(_OPEN, {"workspace_id": workspace_id})
        query = select(AuditChainRow).where(AuditChainRow.workspace_id == workspace_id)
        chain = (await session.scalars(query.with_for_update())).one()
        if not chain.sequence:
            await _adopt(session, chain)
        if chain.sequence and (why := head_fault(chain, self._keys)):
            payload = {"event_type": HEAD_INVALID, "actor_type": "system", "sequence": chain.sequence, "reason": why}
            event = Event(topic="audit.audit", workspace_id=workspace_id, at=self._clock.now(), payload=payload)
            self._place(session, chain, entry(event), event)
            self.sign(chain)
        return chain

    def sign(self, chain: AuditChainRow) -> None:
        """The chain ends where it ends now."""
        chain.statement = sign_head(head_of(chain, self._clock.now()), self._signer).decode()

    def _place(self, session: AsyncSession, chain: AuditChainRow, row: AuditEventRow, event: Event) -> None:
        place_row(row, event.payload, self._salts.new(), chain, self._sealer)
        session.add(row)


def head_fault(chain: AuditChainRow, keys: KeyRing) -> str | None:
    """What is wrong with the signature of a chain's end; None if a key of `keys` signed just this end."""
    if chain.statement is None:
        return f"the end of the audit chain, entry {chain.sequence}, is not signed"
    try:
        signed = open_head(chain.statement.encode(), keys)
    except VerificationFailed as error:
        return f"the signed end of the audit chain does not verify: {error}"
    said = (signed.workspace, signed.seq, signed.hash, signed.base, signed.base_hash)
    if said != (chain.workspace_id, chain.sequence, chain.hash, chain.base, chain.base_hash):
        return f"the audit chain ends with entry {chain.sequence}, its signed end says {signed.seq}"
    return None


def _workspace(event: Event) -> str:
    return event.workspace_id


async def _adopt(session: AsyncSession, chain: AuditChainRow) -> None:
    """An end that is new beside entries that are there: older than signed ends, or somebody removed it."""
    mine = AuditEventRow.workspace_id == chain.workspace_id
    newest = select(AuditEventRow).where(mine).order_by(AuditEventRow.sequence.desc()).limit(1)
    last = (await session.scalars(newest)).first()
    if last is not None:
        chain.sequence, chain.hash = last.sequence, last.integrity_hash


async def _known(session: AsyncSession, workspace_id: str, event_ids: list[str]) -> Sequence[str]:
    query = select(AuditEventRow.event_id).where(
        AuditEventRow.workspace_id == workspace_id, AuditEventRow.event_id.in_(event_ids)
    )
    return (await session.scalars(query)).all()

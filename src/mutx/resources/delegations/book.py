"""The delegations of every workspace, as the engine asks for them. Implements `ports.Delegations`."""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace
from sqlalchemy import select

from mutx.governance.delegation_tokens import open_delegation, seal_delegation
from mutx.governance.hops import Chain, DelegationHop
from mutx.governance.keys import KeyRing
from mutx.governance.ports import Identities, Signer
from mutx.governance.types import Caller
from mutx.kit.clock import rfc3339
from mutx.resources.delegations.models import DelegationRow
from mutx.storage.engine import Database


class DelegationBook:
    """Signs chains, reads them, and knows which of their hops still hold."""

    def __init__(self, database: Database, identities: Identities, signer: Signer, keys: KeyRing) -> None:
        self._database = database
        self._identities = identities
        self._signer = signer
        self._keys = keys

    async def open(self, token: str, workspace_id: str) -> Chain:
        return open_delegation(token, workspace_id, self._keys)

    async def broken(self, workspace_id: str, chain: Chain) -> str | None:
        rows = {row.id: row for row in await self._rows(workspace_id, [hop.id for hop in chain])}
        for hop in chain:
            row = rows.get(hop.id)
            if row is None or row.revoked_at is not None or hop_of(row) != hop:
                return f"the delegation of {hop.delegator} to {hop.delegate} was revoked"
            if await self._identities.current(issuer_of(row)) is None:
                return f"who delegated {hop.delegator}'s right to {hop.delegate} has lost it"
        return None

    def token(self, workspace_id: str, chain: Chain, row: DelegationRow) -> str:
        """The text for the last hop of `chain`, which is that of `row`; always the same one."""
        return seal_delegation(workspace_id, chain, rfc3339(row.created_at.timestamp()), self._signer)

    async def _rows(self, workspace_id: str, ids: Sequence[str]) -> Sequence[DelegationRow]:
        query = select(DelegationRow).where(DelegationRow.workspace_id == workspace_id, DelegationRow.id.in_(ids))
        async with self._database.read() as session:
            return (await session.scalars(query)).all()


def hop_of(row: DelegationRow) -> DelegationHop:
    return msgspec.convert(row.content, DelegationHop)


def issuer_of(row: DelegationRow) -> Caller:
    return msgspec.json.decode(row.issuer, type=Caller)


def issuer_text(caller: Caller) -> str:
    """What is asked about again. Limits and chain are looked up anew."""
    return msgspec.json.encode(replace(caller, limits=(), delegation=())).decode()

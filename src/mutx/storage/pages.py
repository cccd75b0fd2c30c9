"""A page of a list, and how many there are in all, by one statement that is built once."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Integer, Row, Select, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession


class PagedQuery:
    """A query with `bindparam`s for what differs from call to call. Its rows end in their own number, as `total`."""

    def __init__(self, query: Select[*tuple[Any, ...]]) -> None:
        """`query`: in the order in which it is shown."""
        self._count = select(func.count()).select_from(query.order_by(None).subquery())
        shown = query.add_columns(self._count.scalar_subquery().label("total"))
        self._page = shown.offset(bindparam("skip", type_=Integer)).limit(bindparam("limit", type_=Integer))

    async def page(
        self, session: AsyncSession, skip: int, limit: int, **given: object
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], int]:
        """Up to `limit` (at least 1) rows after the first `skip`, and how many match in all. `given`: the query's own values."""
        rows = (await session.execute(self._page, {"skip": skip, "limit": limit, **given})).all()
        if rows:
            return rows, rows[0].total
        return rows, (await session.scalar(self._count, given) or 0) if skip else 0

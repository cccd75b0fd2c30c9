"""What was mended in this database's tables, and when: `mutx db repair` writes it, the metrics tell it."""

from sqlalchemy import Column, Integer, String, Table

from mutx.storage.tables import ID_LENGTH, Row, UtcDateTime

repairs = Table(
    "schema_repairs",
    Row.metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", UtcDateTime(), nullable=False),
    Column("revision", String(ID_LENGTH), nullable=False),
    Column("mended", String(512), nullable=False),
)

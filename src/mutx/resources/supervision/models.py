"""What is supervised and how it stands; and which agents are killed."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mutx.storage.tables import Id, Row

RUN, STAY_DOWN = "running", "stopped"
"""What is wanted of an agent."""


class SupervisedAgentRow(Row):
    """One agent: what is wanted, what is, and which control plane sees to it."""

    __tablename__ = "supervised_agents"
    __table_args__ = (Index(None, "desired", "host_id"),)

    id: Mapped[Id]
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    agent_id: Mapped[str] = mapped_column(ForeignKey("agents.id", ondelete="CASCADE"), unique=True)
    user_id: Mapped[str] = mapped_column(String(36))
    """Who started it last: it acts for them."""
    command: Mapped[list[str]]
    """As it was asked for, and allowed then."""
    env: Mapped[str] = mapped_column(Text)
    """What it was given beside what every child gets: JSON, sealed."""
    env_keys: Mapped[list[str]]
    cwd: Mapped[str | None] = mapped_column(Text)
    launch_profile: Mapped[str | None] = mapped_column(String(128))
    faramesh_policy: Mapped[str | None] = mapped_column(String(255))

    desired: Mapped[str] = mapped_column(String(16))
    restart_wanted: Mapped[bool]
    """It is stopped only to be started again."""
    stop_seconds: Mapped[float | None]

    state: Mapped[str] = mapped_column(String(16))
    launch_id: Mapped[str | None] = mapped_column(String(36))
    """Of the process that may be there; None: there is none."""
    pid: Mapped[int | None]
    host_id: Mapped[str | None] = mapped_column(String(64))
    """The control plane that may start and stop it."""
    lease_until: Mapped[datetime | None]
    """From then on another one may."""
    restart_count: Mapped[int]
    failures: Mapped[int]
    """Crashes in a row."""
    last_exit_code: Mapped[int | None]
    last_error: Mapped[str] = mapped_column(Text)
    last_start_at: Mapped[datetime | None]
    last_stop_at: Mapped[datetime | None]
    next_start_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    def facts(self) -> dict[str, Any]:
        """What is shown of it as it stands."""
        names = ("agent_id", "state", "command", "launch_profile", "env_keys", "faramesh_policy", "pid")
        more = ("restart_count", "last_exit_code", "last_error", "last_start_at", "last_stop_at", "next_start_at")
        return {name: getattr(self, name) for name in (*names, *more, "host_id")}


class AgentKillRow(Row):
    """An agent whose kill switch is on. It outlives the agent: what still runs under its name stays denied."""

    __tablename__ = "agent_kills"
    __table_args__ = (UniqueConstraint("workspace_id", "agent_id"),)

    id: Mapped[Id]
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    agent_id: Mapped[str] = mapped_column(String(36))
    reason: Mapped[str] = mapped_column(Text)
    killed_by: Mapped[str] = mapped_column(String(36))
    killed_at: Mapped[datetime]

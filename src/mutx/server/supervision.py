"""Puts together what supervises agents of this control plane."""

from dataclasses import dataclass
from pathlib import Path

from mutx.kit.ids import is_uuid, new_id
from mutx.resources.supervision.metrics import SupervisionMetrics
from mutx.resources.supervision.reconcile import Reconciler
from mutx.server.settings import Settings
from mutx.server.workers import Periodic
from mutx.services.faramesh_supervisor.config import LaunchProfile, SupervisionConfig
from mutx.services.faramesh_supervisor.supervisor import FarameshSupervisor
from mutx.services.signing.files import replace_durably
from mutx.web.services import Services

GAP_SECONDS = 0.01
"""Between two looks; each waits for news itself."""


@dataclass(frozen=True, kw_only=True)
class SupervisionDesk:
    """The supervisor, and what tells it what to do; None of it where nothing is kept."""

    reconciler: Reconciler | None = None

    @property
    def tasks(self) -> tuple[Periodic, ...]:
        return () if self.reconciler is None else (Periodic("supervision", self.reconciler.turn, GAP_SECONDS),)

    async def open(self) -> None:
        if self.reconciler is not None:
            await self.reconciler.open()

    async def close(self) -> None:
        if self.reconciler is not None:
            await self.reconciler.close()


def open_supervisor(settings: Settings, *, memory: bool) -> FarameshSupervisor | None:
    if memory:
        return None
    folder = settings.home / "supervised"
    return FarameshSupervisor(supervision_config(settings), folder, _host_id(settings, folder))


def supervision_desk(services: Services) -> SupervisionDesk:
    if services.supervisor is None:
        return SupervisionDesk()
    metrics = SupervisionMetrics(services.registry)
    return SupervisionDesk(
        reconciler=Reconciler(services.supervisor, services.database, services.sealer, services.clock, metrics)
    )


def supervision_config(settings: Settings) -> SupervisionConfig:
    return SupervisionConfig(
        faramesh_bin=str(settings.faramesh_bin) if settings.faramesh_bin else None,
        allowed_commands=settings.supervision_allowed_commands,
        allowed_env_keys=settings.supervision_allowed_env_keys,
        allow_direct_commands=settings.supervision_allow_direct_commands,
        profiles={
            name: LaunchProfile(
                name=name,
                command=profile.command,
                env=profile.env,
                env_keys=profile.env_keys,
                faramesh_policy=profile.faramesh_policy,
                cwd=str(profile.cwd) if profile.cwd else None,
            )
            for name, profile in settings.supervision_profiles.items()
        },
        allowed_policy_dir=settings.supervision_policy_dir,
        launch_prefix=settings.supervision_launch_prefix,
        socket_path=settings.faramesh_path,
        mutx_socket=settings.socket,
        auto_restart=settings.supervision_auto_restart,
        max_restarts=settings.supervision_max_restarts,
        restart_delay=settings.supervision_restart_delay,
        max_restart_delay=settings.supervision_max_restart_delay,
        stable_seconds=settings.supervision_stable_seconds,
        health_check_interval=settings.supervision_health_check_interval,
        shutdown_timeout=settings.supervision_shutdown_timeout,
        lease_seconds=settings.supervision_lease_seconds if settings.is_shared else 0.0,
        internal_domains=frozenset(settings.internal_user_email_domains),
        keep_on_exit=settings.supervision_keep_on_exit,
    )


def _host_id(settings: Settings, folder: Path) -> str:
    """The same after a restart: what runs under this home is found by it."""
    if settings.supervision_host_id:
        return settings.supervision_host_id
    path = folder / "host-id"
    known = path.read_text("utf-8").strip() if path.exists() else ""
    if not is_uuid(known):
        known = new_id()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_durably(path, known.encode())
    return known

"""Whom to believe about workloads: the JWT authorities of one trust domain (SPIFFE Trust Domain and Bundle §4)."""

import threading
from pathlib import Path
from typing import Protocol

from spiffe import JwtBundle, JwtSource, TrustDomain
from spiffe.errors import PySpiffeError

from mutx.kit.errors import Unavailable

FIRST_ANSWER_SECONDS = 5.0
MAX_BUNDLE = 1 << 20
"""Bytes of a bundle file."""


class TrustBundles(Protocol):
    """Where the authorities come from. Blocks for a moment: call it off the event loop."""

    def current(self) -> JwtBundle:
        """The authorities as they are now. Raises Unavailable while they cannot be had."""

    def close(self) -> None: ...


class FileBundles:
    """A bundle in a file, as `spire-server bundle show -format spiffe` prints it; read again when the file changes."""

    def __init__(self, domain: str, path: Path) -> None:
        self._domain = TrustDomain(domain)
        self._path = path
        self._read_at: tuple[int, int] | None = None
        self._bundle: JwtBundle | None = None
        self._lock = threading.Lock()

    def current(self) -> JwtBundle:
        with self._lock:
            try:
                found = self._path.stat()
                stamp = found.st_mtime_ns, found.st_size
                if self._bundle is None or stamp != self._read_at:
                    if found.st_size > MAX_BUNDLE:
                        raise Unavailable(f"the trust bundle is larger than {MAX_BUNDLE} bytes; is it the right file?")
                    self._bundle = JwtBundle.parse(self._domain, self._path.read_bytes())
                    self._read_at = stamp
            except (OSError, PySpiffeError) as error:
                raise Unavailable(f"the trust bundle {self._path.name} cannot be read: {error}") from error
            return self._bundle

    def close(self) -> None:
        """A file needs none."""


class WorkloadBundles:
    """What the SPIFFE Workload API (a SPIRE agent) tells and keeps telling over its Unix socket."""

    def __init__(self, domain: str, socket: str) -> None:
        self._domain = TrustDomain(domain)
        self._socket = socket
        self._source: JwtSource | None = None
        self._lock = threading.Lock()

    def current(self) -> JwtBundle:
        with self._lock:
            try:
                if self._source is None or self._source.is_closed():
                    self._source = JwtSource(socket_path=self._socket, timeout_in_seconds=FIRST_ANSWER_SECONDS)
                bundle = self._source.get_bundle_for_trust_domain(self._domain)
            except PySpiffeError as error:
                raise Unavailable("the SPIFFE Workload API does not answer; is the agent running?") from error
        if bundle is None:
            raise Unavailable(f"the SPIFFE Workload API has no bundle of {self._domain.name}; check its federation")
        return bundle

    def close(self) -> None:
        with self._lock:
            if self._source is not None:
                self._source.close()

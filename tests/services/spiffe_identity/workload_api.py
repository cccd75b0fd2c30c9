"""A SPIRE agent's Workload API on a Unix socket, and the authority of its trust domain."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from joserfc import jwt
from joserfc.jwk import ECKey
from spiffe._proto import workload_pb2, workload_pb2_grpc

DOMAIN = "mutx.test"
AUDIENCE = "http://127.0.0.1:8000"


class Authority:
    """Signs JWT-SVIDs (SPIFFE JWT-SVID §3) and shows its keys as a bundle."""

    def __init__(self, key_id: str = "first") -> None:
        self.keys = [self._new(key_id)]

    def rotate(self, key_id: str) -> None:
        """Sign with a new key; the old one is not believed any more."""
        self.keys = [self._new(key_id)]

    def svid(self, path: str, *, domain: str = DOMAIN, lasts: float = 300, header: Any = None, **claims: Any) -> str:
        body = {"sub": f"spiffe://{domain}{path}", "aud": [AUDIENCE], "exp": int(time.time() + lasts), **claims}
        key = self.keys[-1]
        return jwt.encode({"alg": "ES256", "kid": key.kid, "typ": "JWT", **(header or {})}, body, key)

    def bundle(self) -> bytes:
        shown = [{**key.as_dict(private=False), "use": "jwt-svid"} for key in self.keys]
        return json.dumps({"keys": shown, "spiffe_sequence": 1, "spiffe_refresh_hint": 60}).encode()

    @staticmethod
    def _new(key_id: str) -> ECKey:
        return ECKey.generate_key("P-256", {"kid": key_id, "use": "sig", "alg": "ES256"})


class WorkloadApi(workload_pb2_grpc.SpiffeWorkloadAPIServicer):  # type: ignore[misc] # generated without types
    """Tells the bundle, and again whenever it changes. Refuses callers without the security header, as agents do."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        self.socket = f"unix://{folder / 'agent.sock'}"
        self._authority = authority
        self._changed = threading.Condition()
        self._stopped = False
        self._server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
        workload_pb2_grpc.add_SpiffeWorkloadAPIServicer_to_server(self, self._server)
        self._server.add_insecure_port(self.socket)

    def start(self) -> "WorkloadApi":
        self._server.start()
        return self

    def tell(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._server.stop(0).wait()

    def FetchJWTBundles(self, request: Any, context: Any) -> Iterator[Any]:
        if ("workload.spiffe.io", "true") not in [tuple(pair) for pair in context.invocation_metadata()]:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "security header missing from request")
        with self._changed:
            while not self._stopped and context.is_active():
                bundles = {f"spiffe://{DOMAIN}": self._authority.bundle()}
                yield workload_pb2.JWTBundlesResponse(bundles=bundles)
                self._changed.wait(30)

"""Servers that doors are compared with: `python -m benchmarks.servers hello PORT | unsigned PORT SOCKET`.

Both run as `mutx up` does: one process, uvicorn with uvloop and httptools, no access log. `unsigned` parses every request:
`mutx up` itself leaves that out for heads that it knows (`server.hot_http`).
"""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvicorn
import uvloop
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from pydantic import BaseModel
from starlette.types import ASGIApp

from benchmarks import rules
from benchmarks.world import NullSigner, World
from mutx.governance.types import Door
from mutx.server.app import create_app
from mutx.server.doors.http import hot_routes
from mutx.server.doors.peers import KnownPeers
from mutx.server.doors.uds import UdsDoor
from mutx.server.doors.verbs import Verbs
from mutx.server.http_protocol import WholeAnswers
from mutx.server.settings import Settings
from mutx.server.wiring import ControlPlane, build
from mutx.storage.coordination import LocalBus


class HelloCall(BaseModel):
    """The same body that is decided elsewhere."""

    tool_name: str
    agent_id: str
    session_id: str
    tool_args: dict[str, Any]


class HelloAnswer(BaseModel):
    """As little as one can say."""

    message: str


def hello() -> FastAPI:
    """FastAPI and Pydantic at their plainest."""
    app = FastAPI()

    @app.post("/v1/governance/decide")
    async def answer(call: HelloCall) -> HelloAnswer:
        return HelloAnswer(message=f"hello {call.agent_id}")

    return app


async def serve(app: ASGIApp, port: int, http: type[asyncio.Protocol] | str = "httptools") -> None:
    config = uvicorn.Config(
        app, port=port, http=http, lifespan="off", log_config=None, access_log=False, server_header=False
    )
    await uvicorn.Server(config).serve()


async def serve_unsigned(port: int, socket: Path) -> None:
    """Both doors of one control plane whose receipts are neither signed nor stored."""
    plane = await build(Settings(port=port, governance_rate_limit_requests=100_000_000), memory=True)
    verbs = unsigned_verbs(plane, rules.mixed(1000))
    peers = KnownPeers(plane.identities, plane.local_agent(Door.UDS), lambda _: None)
    door = UdsDoor(socket, verbs, peers)
    services = replace(plane.services, registry=CollectorRegistry())
    app = create_app(services, plane.settings, plane.identities, doors=hot_routes(verbs))
    await door.start()
    try:
        await serve(app, port, WholeAnswers)
    finally:
        await door.stop()
        await plane.stop()


def unsigned_verbs(plane: ControlPlane, policy: str) -> Verbs:
    """The hot verbs over a pipeline that keeps nothing and signs nothing."""
    world = World(rules.engine(policy), signer=NullSigner())
    return Verbs(world.pipeline, LocalBus(), plane.services.clock)


if __name__ == "__main__":
    kind, port, *rest = sys.argv[1:]
    uvloop.run(serve(hello(), int(port)) if kind == "hello" else serve_unsigned(int(port), Path(rest[0])))

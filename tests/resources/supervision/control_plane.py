"""A control plane as a process of its own, for tests that kill it: `python -m tests.resources.supervision.control_plane FOLDER`.

Takes its settings as JSON from the second argument. It prints its HTTP address's stand-in, `ready`, once it supervises, and the
local operator's token; its API is served on the port that it was given.
"""

import asyncio
import json
import sys
from pathlib import Path

import uvicorn
import uvloop

from mutx.server.settings import Settings
from mutx.server.wiring import build


async def main() -> None:
    home, given = Path(sys.argv[1]), json.loads(sys.argv[2])
    plane = await build(Settings(home=home, **given))
    await plane.start(socket=True)
    server = uvicorn.Server(uvicorn.Config(plane.app, port=given["port"], lifespan="off", log_config=None))
    serving = asyncio.create_task(server.serve())
    print(await plane.local_token(), flush=True)
    await serving
    await plane.stop()


if __name__ == "__main__":
    uvloop.run(main())

"""`mutx up`: the control plane on this machine."""

import gc
from importlib.metadata import entry_points
from pathlib import Path

import click


@click.command()
@click.option("--host", help="Address to listen on; 127.0.0.1 unless set.")
@click.option("--port", type=click.IntRange(1, 65_535), help="Port to listen on; 8000 unless set.")
@click.option(
    "--home", type=click.Path(path_type=Path), help="Folder of database and keys; $MUTX_HOME or ~/.mutx unless set."
)
def up(host: str | None, port: int | None, home: Path | None) -> None:
    """Start the control plane and keep it running until it is stopped."""
    # What is loaded stays: to look for cycles in it again and again takes a tenth of the start. The server turns it
    # on again (`tune`) once it is ready.
    gc.disable()
    try:
        # By name and at call time: nothing of the command line imports the server.
        (start,) = entry_points(group="mutx.embedded", name="up")
        given = {"host": host, "port": port, "home": home}
        start.load()(**{name: value for name, value in given.items() if value is not None})
    finally:
        gc.enable()

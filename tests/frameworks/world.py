"""What the tools of the suite do: a file in a folder for every call that runs. The folder is the judge, not our hooks."""

import threading
from pathlib import Path


class World:
    """The real effect. `put` writes; `flaky`: the first call fails before it writes."""

    def __init__(self, folder: Path, *, flaky: bool = False) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._fail = flaky
        self.attempts = 0

    def put(self, key: str, text: str) -> str:
        """Write a note."""
        with self._lock:
            self.attempts += 1
            fails, self._fail = self._fail, False
            if fails:
                raise OSError("the disk is busy")
            with (self._folder / key).open("a", encoding="utf-8") as file:
                file.write(f"{text}\n")
        return f"wrote {key}"

    async def aput(self, key: str, text: str) -> str:
        """Write a note."""
        return self.put(key, text)

    def written(self) -> list[tuple[str, str]]:
        """(key, text) of everything that was written, sorted."""
        return sorted(
            (file.name, line) for file in self._folder.iterdir() for line in file.read_text("utf-8").splitlines()
        )

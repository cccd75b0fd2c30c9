"""The adapters of the frameworks that the development environment has, in every case of the suite."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from mutx.server.embedded import create
from mutx_agent.transport.embedded import EmbeddedTransport
from tests.frameworks.driver import Driver
from tests.frameworks.plane import Plane
from tests.frameworks.suite import WAYS, cases, play, why_absent

HERE = ("langchain", "mcp", "openai_agents", "pydantic_ai")


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("RATE_LIMIT_REQUESTS", "1000000")
        host = create(str(tmp_path_factory.mktemp("plane")))
    with host:

        def rest(method: str, path: str, body: dict[str, object] | None) -> object:
            status, answer = host.request(method, path, body)
            assert status < 400, answer
            return answer

        made = Plane(rest, lambda: EmbeddedTransport(server=Unclosed(host)), "bot")
        made.apply_policy()
        yield made


class Unclosed:
    """The shared control plane, which no single governor closes."""

    def __init__(self, host: object) -> None:
        self._host = host

    def call(self, verb: str, body: dict[str, object]) -> dict[str, object]:
        return self._host.call(verb, body)  # type: ignore[attr-defined,no-any-return]

    def close(self) -> None:
        return


@pytest.mark.timeout(600)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", HERE)
def test_every_case_holds(name: str, way: str, plane: Plane, tmp_path: Path) -> None:
    """One test for a framework and a way in, so that a framework is imported by the worker that needs it."""
    driver: Driver = import_module(f"tests.frameworks.drivers.{name}").DRIVER
    chosen = [case for case in cases(driver) if case.way == way]
    if not chosen:
        pytest.skip(f"{name}: {why_absent(driver, way, 'async')}")
    failed = {}
    for case in chosen:
        try:
            play(driver, case, plane, tmp_path / str(case))
        except AssertionError as error:
            failed[str(case)] = str(error)
    assert not failed

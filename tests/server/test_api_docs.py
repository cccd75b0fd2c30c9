"""`/docs`: everything that the page needs comes from this server, and nothing else may run in it."""

import re

import pytest

from mutx.server.api_docs import ASSETS, KEPT, PAGE, POLICY
from tests.server.plane import Plane


async def test_the_page_and_all_that_it_names_come_from_here(plane: Plane) -> None:
    browser = plane.client()
    page = await browser.get(PAGE)
    named = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    assert sorted(named) == ["data:,", *sorted(ASSETS.removeprefix("/") + name for name in KEPT if name)]
    for name in KEPT:
        answer = await browser.get(ASSETS + name if name else PAGE)
        assert answer.status_code == 200, name
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["content-type"].startswith(KEPT[name][2])
        assert int(answer.headers["content-length"]) == len(answer.content) > 100
    assert "SwaggerUIBundle(" in (await browser.get(f"{ASSETS}start.js")).text
    assert "https:" not in POLICY
    assert (await browser.get("/openapi.json")).json()["openapi"].startswith("3.")


@pytest.mark.parametrize("path", ["/docs/assets/", "/docs/assets/../__init__.py", "/docs/assets/page.html", "/redoc"])
async def test_nothing_else_of_the_packages_is_served(plane: Plane, path: str) -> None:
    assert (await plane.client().get(path)).status_code == 404

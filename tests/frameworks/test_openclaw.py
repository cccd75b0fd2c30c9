"""The OpenClaw plugin is the one that a real OpenClaw was run with."""

import json

from tools.openclaw import CASES, RESULT, digest


def test_the_plugin_is_as_it_was_when_it_was_proved() -> None:
    proved = json.loads(RESULT.read_text("utf-8"))
    assert proved["plugin_sha256"] == digest(), "agent/openclaw has changed since: run `python -m tools.openclaw`"
    assert proved["proved"] == list(CASES)

"""What is normal for an agent, and what is not."""

from mutx.services.evalview import anomaly
from mutx.services.evalview.anomaly import Anomalous, Response


def test_velocity() -> None:
    assert anomaly.velocity(100, 100) is None
    found = anomaly.velocity(101, 100)
    assert found is not None
    assert (found.kind, found.response) == (Anomalous.VELOCITY, Response.RATE_LIMIT)


def test_an_output_is_measured_against_the_agents_own() -> None:
    norm, outputs = 0.0, 0
    for size in [100, 120, 80] * 5:
        assert anomaly.output_length(size, norm, outputs) is None
        norm, outputs = anomaly.next_norm(norm, outputs, size), outputs + 1
    assert 90 < norm < 110
    found = anomaly.output_length(5000, norm, outputs)
    assert found is not None
    assert (found.kind, found.response) == (Anomalous.OUTPUT, Response.FLAG)
    assert anomaly.next_norm(norm, outputs, 10**9) < 2 * norm


def test_failures() -> None:
    assert anomaly.error_rate(19, 19) is None
    assert anomaly.error_rate(20, 10) is None
    found = anomaly.error_rate(20, 11)
    assert found is not None
    assert (found.value, found.response) == (0.55, Response.PAUSE)


def test_drift() -> None:
    past = {"search": 30, "read": 10}
    assert anomaly.drift(past, {"search": 9}) is None
    assert anomaly.drift({"search": 10}, {"pay": 20}) is None
    assert anomaly.drift(past, {"search": 8, "read": 2}) is None
    found = anomaly.drift(past, {"pay": 8, "search": 2})
    assert found is not None
    assert found.kind is Anomalous.DRIFT


def test_tools_beyond_the_bound_share_a_name() -> None:
    uses: dict[str, int] = {}
    for number in range(anomaly.MAX_TOOLS + 5):
        uses = anomaly.counted(uses, f"tool-{number}")
    assert len(uses) == anomaly.MAX_TOOLS + 1
    assert uses[anomaly.REST] == 5

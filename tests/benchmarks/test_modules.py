"""Each benchmark runs, on a scale at which its figures mean nothing; gates are for `make bench`."""

import importlib
import json
from math import isfinite

import pytest

from benchmarks import __main__ as bench
from benchmarks.harness import SMOKE, Result, result

PROMISED = {
    "policy": {
        "policy_1000_over_dict_get",
        "policy_10000_over_10",
        "policy_10000_over_10_adversarial",
        "cel_condition_us",
        "policy_hot_reload_stall_ms",
    },
    "decision": {"decide_in_process_over_dict_get", "decide_10000_over_10_turns"},
    "receipts": {"receipt_1000_over_1", "canonical_over_rfc8785"},
    "ledger": {"group_commit_over_commit_each", "unloaded_turn_over_fdatasync"},
    "postgres": {"pg_append_over_for_update", "pg_append_rate_over_for_update", "pg_two_replicas_over_one"},
    "startup": {"up_to_ready_s", "import_mutx_agent_ms", "mutx_help_ms"},
    "run": {"run_bootstrap_ms", "run_start_ms"},
    "frameworks": {
        "adapter_langchain_added_us",
        "adapter_mcp_added_us",
        "adapter_openai_agents_added_us",
        "adapter_pydantic_ai_added_us",
    },
    "flow": {"provenance_100kB_over_1kB", "provenance_10MB_over_1kB", "backtest_100000_turns"},
    "history": {"backtest_store_100000_s"},
    "guardrail": {
        f"guardrail_{layer}_{figure}"
        for layer in ("encoding", "patterns", "classifier", "pii", "toxicity", "tokens", "whole")
        for figure in ("us_per_kB", "over_scan")
    },
    "identity": {"jwt_cached_us", "jwt_cold_us", "api_key_list_over_bare"},
    "mcp": {"mcp_proxy_calls_per_s", "mcp_proxy_of_direct"},
    "doors": {
        "http_decide_cpu_over_fastapi_hello",
        "http_decide_over_fastapi_hello",
        "uds_over_http_cpu",
        "middleware_cpu_share",
    },
}


@pytest.mark.timeout(600)  # several servers, one after the other, on a machine that may be busy
@pytest.mark.parametrize("module", bench.MODULES)
def test_every_promised_figure_is_measured(module):
    results = importlib.import_module(f"benchmarks.{module}").run(SMOKE)
    assert {one.name for one in results} == PROMISED[module]
    assert all(isfinite(one.value) and one.runs and one.baseline for one in results)


def test_a_gate_is_a_bound_from_above_or_from_below():
    assert Result("a", 2.0, "x", "b", (2.0,), 3).passed
    assert not Result("a", 2.0, "x", "b", (2.0,), 3, at_least=True).passed
    assert result("a", [1.0, 9.0, 2.0], "x", "b", 3).value == 2.0


def test_results_are_kept_and_shown(tmp_path, monkeypatch, capsys):
    """A run of some modules leaves the others' figures as they were, and a missed gate is marked."""
    results, page = tmp_path / "results.json", tmp_path / "page.md"
    results.write_text(json.dumps({"old": bench._entry(Result("old", 9.0, "x", "b", (9.0,), 3))}))
    page.write_text(f"before\n{bench.BEGIN}\nstale\n{bench.END}\nafter\n")
    monkeypatch.setattr(bench, "RESULTS", results)
    monkeypatch.setattr(bench, "PAGE", page)
    monkeypatch.setattr("benchmarks.receipts.run", lambda plan: [Result("new", 2.0, "x", "b", (2.0,), 3)])
    assert bench.main(["receipts"]) == 0
    assert set(json.loads(results.read_text())) == {"old", "new"}
    shown = page.read_text()
    assert shown.startswith("before")
    assert shown.endswith("after\n")
    assert "stale" not in shown
    assert "| `old` | 9 x (missed) |" in shown
    assert "ok" in capsys.readouterr().out

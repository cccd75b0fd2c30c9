"""A policy followed as it changes."""

import queue

from mutx.cli.demo.control_plane import LocalControlPlane
from mutx.contract.api_keys import ApiKeyCreate
from mutx.contract.policies import Policy, PolicyWrite, Rule, RuleScope, RuleType
from mutx.sdk import DEFAULT_GUARDRAIL_PROFILES, MutxClient, MutxPolicyClient


def rules(*patterns: str) -> PolicyWrite:
    made = [Rule(type=RuleType.BLOCK, pattern=each, action="refuse", scope=RuleScope.INPUT) for each in patterns]
    return PolicyWrite(name="words", rules=made)


def test_rules_stay_fresh_while_they_are_watched(plane: LocalControlPlane, client: MutxClient) -> None:
    client.policies.put("words", rules("one"))
    key = client.api_keys.create(ApiKeyCreate(name="watcher")).key
    versions: queue.Queue[Policy] = queue.Queue()
    with MutxPolicyClient(plane.url, "words", key, on_change=versions.put) as watcher:
        assert [rule.pattern for rule in watcher.get_current_rules()] == ["one"]
        versions.get(timeout=5)
        watcher.start_watching(poll_interval=0.5)
        watcher.start_watching()
        client.policies.put("words", rules("one", "two"))
        assert versions.get(timeout=15).version == 2
        assert [rule.pattern for rule in watcher.get_current_rules()] == ["one", "two"]
        watcher.stop_watching()


def test_profiles_name_their_guardrails() -> None:
    assert {name: list(found) for name, found in DEFAULT_GUARDRAIL_PROFILES.items()} == {
        "strict": ["pii_block", "toxicity_check"],
        "standard": ["pii_block"],
        "permissive": [],
    }

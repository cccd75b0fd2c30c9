"""What holds beside the rules, through the whole pipeline: stored facts lead to the stored decisions, also after a restart."""

from mutx.governance.types import Effect, ReasonCode
from tests.governance.pipeline.world import World

POLICY = """
name: shop
default: deny
limits:
  - {id: money, match: {tool: "pay*"}, budget: {amount: "has(args.amount) ? args.amount : 0", max: 100, on_exceed: step_up}}
  - {id: calls, rate: {per_hour: 8}}
rewrites:
  - {id: cards, match: {tool: "pay*"}, modify: [{set: card, value: "[REDACTED]"}]}
phases:
  - {id: intake, tools: [look_up], duration: 10m}
  - {id: paying, tools: ["pay*"]}
rules:
  - {id: secrets, match: {tool: mail}, when: 'history_contains_within("look_*", 300)', effect: deny}
  - {id: to-pay, match: {tool: phase/paying}, effect: step_up}
  - {id: look, match: {tool: look_up}, effect: allow}
  - {id: large, match: {tool: pay}, when: args.amount > 50, effect: step_up}
  - {id: pay, match: {tool: pay}, when: args.amount <= 50, effect: allow}
  - {id: mail, match: {tool: mail}, effect: allow, priority: 200}
"""


async def test_a_session_with_phases_history_limits_and_rewrites_can_be_computed_again():
    world = World(POLICY)
    assert (await world.decide("pay", amount=5)).decision.reason_code is ReasonCode.OUT_OF_PHASE
    await world.run("look_up")
    assert (await world.decide("mail")).effect is Effect.DENY
    world.clock.advance(301)
    await world.run("mail")
    waits = await world.decide("phase/paying")
    assert (await world.decide("pay", amount=5)).effect is Effect.DENY
    await world.approve(waits)
    world.restart()
    paid = await world.run("pay", amount=40, card="4111")
    assert (paid.effect, paid.modified_args) == (Effect.MODIFY, {"amount": 40, "card": "[REDACTED]"})
    assert (await world.decide("look_up")).decision.reason_code is ReasonCode.OUT_OF_PHASE
    await world.recomputed()


async def test_a_question_about_a_rewritten_call_is_asked_once():
    world = World(POLICY)
    world.clock.advance(700)
    await world.approve(await world.decide("phase/paying"))
    asked = await world.decide("pay", amount=90, card="4111")
    assert asked.effect is Effect.STEP_UP
    released = await world.approve(asked)
    assert (released.effect, released.modified_args) == (Effect.MODIFY, {"amount": 90, "card": "[REDACTED]"})
    over = await world.decide("pay", amount=20, card="4111")
    assert (over.effect, over.decision.reason_code) == (Effect.STEP_UP, ReasonCode.BUDGET_EXCEEDED)
    assert (await world.approve(over)).effect is Effect.MODIFY
    await world.recomputed()


async def test_a_rule_and_a_limit_that_both_ask_are_answered_by_one_approval():
    world = World(POLICY)
    world.clock.advance(700)
    await world.approve(await world.decide("phase/paying"))
    await world.approve(await world.decide("pay", amount=90))
    both = await world.decide("pay", amount=60)
    assert set(both.decision.asks) == {"shop/large", "budget_exceeded:shop/money"}
    assert (await world.approve(both)).effect is Effect.ALLOW
    await world.recomputed()

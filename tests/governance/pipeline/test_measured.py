"""An embedding model's distance is a fact of the decision: asked for, recorded, and enough to compute it again."""

from mutx.governance.gather import Gatherer
from mutx.governance.types import Effect, IntentSignal, MeasuredDistance, ReasonCode
from tests.governance.pipeline.world import BOT, World, call

POLICY = """
name: watched
default: allow
intent: {suspected: step_up, confirmed: deny, profile: strict}
tools: [{name: look, access: read}]
rules: [{id: ask, match: {tool: ask}, effect: step_up}]
"""


class Model:
    """Finds far what it is told is far, and has no answer for what it does not know."""

    def __init__(self, **known: float) -> None:
        self.known = known
        self.asked: list[tuple[str, str]] = []

    async def measure(self, request: str, action: str) -> MeasuredDistance:
        self.asked.append((request, action))
        return MeasuredDistance("model", self.known.get(action.partition(";")[0]))


def watched(model: Model) -> World:
    world = World(POLICY)
    gather: Gatherer = world.pipeline._gather
    gather.embedder = model
    return world


async def test_the_model_decides_how_far_an_action_is() -> None:
    model = Model(pay=0.0, wire=1.0, look=1.0, ask=0.2)
    world = watched(model)
    first = await world.decide("pay", _original_request="Tidy the attic", amount=1)
    assert (first.effect, first.decision.intent) == (Effect.ALLOW, IntentSignal.ALIGNED)
    assert model.asked == [("Tidy the attic", "pay; amount: 1")]
    assert (await world.decide("look")).effect is Effect.ALLOW
    context = (await world.ledger.load("ws-1", "s")).context
    assert context.farthest == 0.4
    wired = await world.decide("wire")
    assert (wired.effect, wired.decision.reason_code) == (Effect.STEP_UP, ReasonCode.INTENT_MISALIGNED)
    released = await world.approve(wired)
    assert released.effect is Effect.ALLOW
    assert (await world.pipeline.dry_run(call("wire"), BOT)).intent is IntentSignal.DRIFT_SUSPECTED
    turns = await world.turns()
    assert [turn.facts.measured for turn in turns][:3] == [
        MeasuredDistance("model", 0.0),
        MeasuredDistance("model", 1.0),
        MeasuredDistance("model", 1.0),
    ]
    await world.recomputed()


async def test_without_an_answer_words_decide_and_the_turn_says_so() -> None:
    world = watched(Model())
    near = await world.decide("tidy_attic", _original_request="Tidy the attic")
    far = await world.decide("deploy_cluster")
    assert (near.decision.intent, far.decision.intent) == (IntentSignal.ALIGNED, IntentSignal.DRIFT_SUSPECTED)
    assert {turn.facts.measured for turn in await world.turns()} == {MeasuredDistance("model", None)}
    await world.recomputed()


async def test_without_a_request_the_model_is_not_asked() -> None:
    model = Model()
    world = watched(model)
    await world.decide("pay")
    assert model.asked == []
    assert (await world.turns())[0].facts.measured is None


async def test_the_strictest_profile_of_all_policies_holds() -> None:
    world = World()
    lax = "name: b\ndefault: allow\nintent: {profile: permissive}\n"
    assert world.policies.install("name: a\ndefault: allow\n").thresholds.name == "standard"
    assert world.policies.install("name: a\ndefault: allow\n", lax).thresholds.name == "permissive"
    assert world.policies.install(POLICY, lax).thresholds.name == "strict"

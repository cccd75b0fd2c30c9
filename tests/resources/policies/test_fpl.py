"""FPL through the API: stored as it was written, in force at once, refused with its places."""

from mutx.governance.types import Effect, ReasonCode
from tests.resources.governed import Governed

FPL = """# what the shop's assistant may do
agent agent-1 {
  default deny
  rules {
    deny! shell/* reason: "no shell"
    defer refund when amount > 50 notify: "finance"
    permit refund
    permit read_*
    deny mail when history_contains_within("read_*", 60)
    permit mail
  }
}
"""


async def test_an_fpl_document_is_stored_as_it_is_and_decides(plane: Governed) -> None:
    ana = await plane.person()
    answer = await ana.http.put("/v1/policies/shop", json={"name": "shop", "document": FPL})
    assert answer.status_code == 200
    stored = answer.json()
    assert (stored["kind"], stored["document"], stored["version"]) == ("fpl", FPL, 1)
    agent = plane.agent(ana, "agent-1")
    small = await plane.decide(agent, "refund", amount=5)
    assert (small.effect, small.decision.rule.id) == (Effect.ALLOW, "agent-1.line-7")
    large = await plane.decide(agent, "refund", amount=500)
    assert (large.effect, large.decision.notify) == (Effect.STEP_UP, ("finance",))
    assert (await plane.decide(agent, "mail")).effect is Effect.ALLOW
    assert (await plane.decide(agent, "read_stock")).effect is Effect.ALLOW
    assert (await plane.decide(agent, "mail")).effect is Effect.DENY
    assert (await plane.decide(agent, "shell/run")).decision.reason_code is ReasonCode.FORBIDDEN_RULE
    again = await ana.http.put("/v1/policies/shop", json=stored)
    assert again.json()["version"] == 1


async def test_what_is_not_supported_is_refused_whole_and_the_old_version_stays(plane: Governed) -> None:
    ana = await plane.person()
    await ana.http.put("/v1/policies/shop", json={"name": "shop", "document": FPL})
    broken = FPL.replace("permit refund\n", "permit refund when purpose('x')\n    egress { allow = [] }\n")
    refused = await ana.http.put("/v1/policies/shop", json={"name": "shop", "document": broken, "kind": "fpl"})
    assert refused.status_code == 422
    places = [(one["line"], one["column"], one["code"]) for one in refused.json()["details"]["problems"]]
    assert places == [(7, 24, "unsupported"), (8, 5, "unsupported")]
    linted = (await ana.post("/v1/policies/lint", {"document": broken})).json()
    assert not linted["valid"]
    assert [(one["line"], one["column"]) for one in linted["findings"]] == [(7, 24), (8, 5)]
    assert (await ana.http.get("/v1/policies/shop")).json()["document"] == FPL
    assert (await ana.post("/v1/policies/lint", {"document": FPL})).json() == {"valid": True, "findings": []}

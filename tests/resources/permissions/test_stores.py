"""Permissions and the people of an identity provider, in either store."""

from datetime import timedelta

from mutx.kit.clock import to_datetime
from mutx.resources.sso.models import SsoAttemptRow
from mutx.resources.sso.people import SsoPeople
from mutx.services.oidc.config import OidcConfig
from tests.server.plane import Plane

CONFIG = OidcConfig(provider="house", issuer="https://login.example.org", client_id="x", redirect_uri="y")


async def test_a_permission_reaches_the_caller_and_goes(plane_on_both: Plane) -> None:
    plane = plane_on_both
    ana = await plane.register()
    body = {"effect": "deny", "verb": "act", "principal_type": "user", "principal": ana.me["id"], "tool": "pay"}
    made = (await ana.http.post("/v1/permissions", json=body)).json()
    caller = await plane.identities.resolve(ana.tokens["access_token"])
    assert [limit.id for limit in caller.limits] == [made["id"]]
    assert (await ana.http.get("/v1/permissions")).json()["total"] == 1
    assert (await ana.http.delete(f"/v1/permissions/{made['id']}")).status_code == 204
    today = await plane.identities.current(caller)
    assert today is not None
    assert today.limits == ()


async def test_people_of_a_provider_are_kept(plane_on_both: Plane) -> None:
    plane = plane_on_both
    now = to_datetime(plane.clock.now())
    claims = {"sub": "dora", "roles": ["DEVELOPER"]}
    async with plane.services.database.write() as session:
        admitted = await SsoPeople(session, CONFIG, now).admit(claims)
        assert (admitted.member.role, admitted.changed) == ("DEVELOPER", True)
        session.add(SsoAttemptRow(state_digest="s", binding_digest="b", expires_at=now + timedelta(seconds=9)))
    async with plane.services.database.read() as session:
        people = SsoPeople(session, CONFIG, now)
        known = await people.known(claims)
        assert known is not None
        assert known.user.id == admitted.user.id
        assert await people.known({"sub": "dora", "roles": []}) is None
        assert await people.known({"sub": "another"}) is None

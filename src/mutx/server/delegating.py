"""Hand-offs through the doors that carry governed verbs: the socket and the embedded control plane."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from mutx.contract.delegations import DelegationCreate
from mutx.governance.types import Caller
from mutx.kit.errors import InputError
from mutx.resources.delegations.service import HandOffs
from mutx.server.doors.verbs import Json, Verb
from mutx.web.services import Services


def delegation_verbs(services: Services) -> Mapping[str, Verb]:
    """The verb `delegate`: body and answer as those of `POST /v1/delegations`."""

    async def delegate(body: Any, caller: Caller) -> Json:
        try:
            wanted = DelegationCreate.model_validate(body)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise InputError(f"the body does not fit: {place}: {first['msg']}") from error
        return (await HandOffs(services, caller).issue(wanted)).model_dump(mode="json")

    return {"delegate": delegate}

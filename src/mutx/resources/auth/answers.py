"""What who signed in is answered."""

from typing import TypeVar

from mutx.contract.auth import Tokens
from mutx.resources.auth.families import SignedIn
from mutx.web.cookies import RefreshCookie
from mutx.web.services import Services

T = TypeVar("T", bound=Tokens)


def answered(app: Services, shape: type[T], signed_in: SignedIn, cookie: RefreshCookie, *, into_cookie: bool) -> T:
    """The tokens, with the refresh token where it is wanted."""
    tokens = shape.model_validate(signed_in)
    if not (into_cookie and tokens.refresh_token):
        return tokens
    cookie.put(tokens.refresh_token, int(app.auth.rules.refresh_lifetime))
    return tokens.model_copy(update={"refresh_token": ""})

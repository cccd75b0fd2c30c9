"""`mutx login` and `mutx logout`: whose commands these are."""

import contextlib
import os

import click

from mutx.cli.build import ask_secret
from mutx.cli.output import printable
from mutx.cli.state import CliState, pass_state, shared_options
from mutx.contract.auth import LocalBootstrap, Login
from mutx.kit.errors import AuthError, MutxError
from mutx.sdk.client import DEFAULT_URL, MutxClient
from mutx.sdk.credentials import FileTokens, MemoryTokens, TokenPair, read_private, write_private
from mutx_agent.settings import mutx_home


def _address(state: CliState) -> str:
    """Where to sign in: as said, as configured, or the control plane that `mutx up` last started here."""
    known = read_private(mutx_home() / "client.json").get("url")
    return (state.url or os.environ.get("MUTX_URL") or str(known or DEFAULT_URL)).rstrip("/")


@click.command()
@click.option("--email", help="Sign in with this address; the password is asked for, or read from standard input.")
@click.option(
    "--api-key",
    "by_key",
    is_flag=True,
    help="Sign in with a key: from MUTX_API_KEY, else asked for or read from standard input.",
)
@click.option("--local", is_flag=True, help="Sign in as the operator of a control plane on this machine.")
@shared_options
@pass_state
def login(state: CliState, email: str | None, by_key: bool, local: bool) -> None:
    """Sign in to a control plane. Secrets are never taken from the command line.

    Tokens are kept in $MUTX_HOME/credentials.json and renew themselves; a key is also put where agents on this machine
    find it ($MUTX_HOME/client.json).
    """
    if sum((email is not None, by_key, local)) > 1:
        raise click.UsageError("choose one of --email, --api-key and --local")
    url = _address(state)
    name = _by_key(url) if by_key else _by_tokens(url, _local_tokens(url) if local else _password_tokens(url, email))
    if state.as_json:
        state.emit_json({"url": url, "user": name})
    else:
        click.echo(f"signed in at {url} as {printable(name)}")


def _by_key(url: str) -> str:
    key = os.environ.get("MUTX_API_KEY") or ask_secret("api_key")
    with MutxClient(url, api_key=key) as client:
        name = client.auth.me().name
    for file in ("credentials.json", "client.json"):
        write_private(mutx_home() / file, {"url": url, "api_key": key})
    return name


def _by_tokens(url: str, tokens: TokenPair) -> str:
    with MutxClient(url, tokens=MemoryTokens(tokens)) as client:
        name = client.auth.me().name
    write_private(mutx_home() / "credentials.json", {"url": url, **tokens._asdict()})
    return name


def _password_tokens(url: str, email: str | None) -> TokenPair:
    address = email or click.prompt("Email")
    with MutxClient(url) as stranger:
        made = stranger.auth.login(Login(email=address, password=ask_secret("password")))
    return TokenPair(made.access_token, made.refresh_token)


def _local_tokens(url: str) -> TokenPair:
    with MutxClient(url) as stranger:
        made = stranger.auth.local_bootstrap(LocalBootstrap())
    return TokenPair(made.access_token, made.refresh_token)


@click.command()
@shared_options
@pass_state
def logout(state: CliState) -> None:
    """End the login at the control plane and forget its tokens here."""
    path = mutx_home() / "credentials.json"
    stored = FileTokens(path).load()
    forgotten: MutxError | None = None
    if stored is not None:
        try:
            state.client.auth.logout()
        except AuthError:
            pass  # the login had ended already
        except MutxError as error:
            forgotten = error
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    if forgotten is not None:
        raise type(forgotten)(f"the tokens are gone from here, but the control plane was not told: {forgotten}")
    state.say("signed out")

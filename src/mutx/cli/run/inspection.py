"""What a run needs to have https looked into: an authority of its own, and its program's trust in it."""

import ssl
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mutx.kit.clock import SystemClock

if TYPE_CHECKING:
    from mutx.services.egress.gateway import Inspection

TRUSTING = (
    "SSL_CERT_FILE REQUESTS_CA_BUNDLE CURL_CA_BUNDLE NODE_EXTRA_CA_CERTS GIT_SSL_CAINFO AWS_CA_BUNDLE PIP_CERT DENO_CERT"
).split()
"""Variables by which programs and their libraries find the authorities that they trust."""
BUNDLE = "authorities.pem"
BUNDLE_LIMIT = 4 * 1024 * 1024


def inspect_https(folder: Path, present: Mapping[str, str]) -> "tuple[Inspection, dict[str, str]]":
    """For the gateway, and for the program: the variables that name a bundle in `folder` of what it trusted before and the
    run's authority. Servers themselves are checked here, against what this process trusts."""
    from mutx.services.egress.authority import begin
    from mutx.services.egress.gateway import Inspection

    authority = begin(SystemClock().now())
    bundle = folder / BUNDLE
    bundle.write_text(f"{_trusted(present)}\n{authority.pem}", "ascii", "ignore")
    trust = ssl.create_default_context()
    trust.set_alpn_protocols(["http/1.1"])
    return Inspection(authority, trust), dict.fromkeys(TRUSTING, str(bundle))


def _trusted(present: Mapping[str, str]) -> str:
    """What the program would have trusted without a gateway: it may have servers of its own on the loopback."""
    known = (present.get("SSL_CERT_FILE"), present.get("REQUESTS_CA_BUNDLE"), ssl.get_default_verify_paths().cafile)
    for name in filter(None, known):
        with suppress(OSError), Path(name).open("rb") as file:
            return file.read(BUNDLE_LIMIT).decode("ascii", "ignore")
    return ""

"""Where spans go over OTLP/HTTP, and with which headers: a collector of one's own, or an observability product.

The presets are the products' intakes as they document them: https://braintrust.dev/docs/integrations/sdk-integrations/opentelemetry and
https://docs.wandb.ai/weave/guides/tracking/otel; or as their own Python clients use them: AgentOps' (which exchanges its key for a
token) and Helicone's asynchronous logger.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import unquote

from mutx.kit.errors import SetupError


class TokenExchange(NamedTuple):
    """Where a key is exchanged for a token that goes into the header `authorization`."""

    url: str
    key: str


class Collector(NamedTuple):
    """A full traces URL, and headers that may hold a secret."""

    endpoint: str
    headers: Mapping[str, str]
    exchange: TokenExchange | None = None


def braintrust(key: str, project: str) -> Collector:
    """`project`: its name."""
    headers = {"authorization": f"Bearer {key}", "x-bt-parent": f"project_name:{project}"}
    return Collector("https://api.braintrust.dev/otel/v1/traces", headers)


def weave(key: str, project: str) -> Collector:
    """`project`: `entity/project`."""
    basic = b64encode(f"api:{key}".encode()).decode()
    return Collector(
        "https://trace.wandb.ai/otel/v1/traces", {"authorization": f"Basic {basic}", "project_id": project}
    )


def agentops(key: str, project: str) -> Collector:
    """A key is a project's."""
    exchange = TokenExchange("https://api.agentops.ai/v3/auth/token", key)
    return Collector("https://otlp.agentops.ai/v1/traces", {}, exchange)


def helicone(key: str, project: str) -> Collector:
    """Keys say in which region they are at home. A project is a property, by which Helicone filters."""
    host = "eu.api.helicone.ai" if key.startswith("sk-helicone-eu-") else "api.helicone.ai"
    named = {"helicone-property-project": project} if project else {}
    return Collector(f"https://{host}/v1/trace/log-python", {"authorization": f"Bearer {key}", **named})


PRESETS: Mapping[str, Callable[[str, str], Collector]] = MappingProxyType(
    {"agentops": agentops, "braintrust": braintrust, "helicone": helicone, "weave": weave}
)
ROUTED = frozenset({"braintrust", "weave"})
"""Those whose keys do not say which project spans go to."""


def choose(endpoint: str, headers: str, preset: str, key: str, project: str, token_url: str = "") -> Collector | None:
    """None where nobody collects. Addresses of one's own go before the preset's. Raises SetupError."""
    if not preset:
        return Collector(endpoint, read_headers(headers)) if endpoint else None
    if not key or (preset in ROUTED and not project):
        raise SetupError(f"OTLP_PRESET={preset} needs OTLP_API_KEY{' and OTLP_PROJECT' if preset in ROUTED else ''}")
    chosen = PRESETS[preset](key, project)
    exchange = chosen.exchange
    if exchange is not None:
        if bool(endpoint) != bool(token_url):
            raise SetupError(f"OTLP_PRESET={preset} needs both of OTLP_ENDPOINT and OTLP_TOKEN_URL, or neither")
        exchange = exchange._replace(url=token_url or exchange.url)
    return Collector(endpoint or chosen.endpoint, {**chosen.headers, **read_headers(headers)}, exchange)


def read_headers(text: str) -> dict[str, str]:
    """As in OTEL_EXPORTER_OTLP_HEADERS: `name=value,name=value`, percent-encoded. Raises SetupError."""
    found = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = part.partition("=")
        if not equals or not name.strip():
            raise SetupError("OTLP_HEADERS must be name=value pairs, separated by commas and percent-encoded")
        found[unquote(name.strip()).lower()] = unquote(value.strip())
    return found

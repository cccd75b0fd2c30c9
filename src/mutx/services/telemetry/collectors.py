"""Where spans go over OTLP/HTTP, and with which headers: a collector of one's own, or an observability product.

The presets are the products' documented intakes: https://braintrust.dev/docs/integrations/sdk-integrations/opentelemetry and
https://docs.wandb.ai/weave/guides/tracking/otel.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import unquote

from mutx.kit.errors import SetupError


class Collector(NamedTuple):
    """A full traces URL, and headers that may hold a secret."""

    endpoint: str
    headers: Mapping[str, str]


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


PRESETS: Mapping[str, Callable[[str, str], Collector]] = {"braintrust": braintrust, "weave": weave}


def choose(endpoint: str, headers: str, preset: str, key: str, project: str) -> Collector | None:
    """None where nobody collects. An endpoint of one's own goes before the preset's. Raises SetupError."""
    if not preset:
        return Collector(endpoint, read_headers(headers)) if endpoint else None
    if not key or not project:
        raise SetupError(f"OTLP_PRESET={preset} needs OTLP_API_KEY and OTLP_PROJECT")
    chosen = PRESETS[preset](key, project)
    return Collector(endpoint or chosen.endpoint, {**chosen.headers, **read_headers(headers)})


def read_headers(text: str) -> dict[str, str]:
    """As in OTEL_EXPORTER_OTLP_HEADERS: `name=value,name=value`, percent-encoded. Raises SetupError."""
    found = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = part.partition("=")
        if not equals or not name.strip():
            raise SetupError("OTLP_HEADERS must be name=value pairs, separated by commas and percent-encoded")
        found[unquote(name.strip()).lower()] = unquote(value.strip())
    return found

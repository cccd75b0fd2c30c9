"""Connections to models that answer as OpenAI's API does."""

import httpx2
from pydantic import SecretStr


def model_client(url: str, key: SecretStr, seconds: float) -> httpx2.AsyncClient:
    """Without redirects and without the environment's proxies: texts go where the settings say, and nowhere else."""
    secret = key.get_secret_value()
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    return httpx2.AsyncClient(base_url=url, headers=headers, timeout=seconds, trust_env=False)

"""The keys that seal what this installation keeps secret."""

from mutx.server.settings import Settings
from mutx.services.identity.keyfiles import load_or_create
from mutx.services.identity.sealing import Sealer, new_sealing_key, read_sealing_keys

KEY_FILE = "sealing.keys"


def open_sealer(settings: Settings) -> Sealer:
    """With SECRET_ENCRYPTION_KEY, else with the home's own key file, made on first use. Raises KeyUnusable."""
    given = settings.secret_encryption_key.get_secret_value()
    if not given:
        path = settings.home / "keys" / KEY_FILE
        given = load_or_create(path, lambda: new_sealing_key().encode()).decode("ascii", "replace")
    return Sealer(read_sealing_keys(given))

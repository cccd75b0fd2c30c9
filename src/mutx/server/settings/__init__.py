"""What an installation may set: one group of settings a file, put together in `installation`."""

from mutx.server.settings.installation import Settings, is_loopback, read_settings

__all__ = ["Settings", "is_loopback", "read_settings"]

"""The repository's own checks; `python -m tools.check` runs them all."""

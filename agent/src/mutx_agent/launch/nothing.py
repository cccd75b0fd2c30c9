"""Imported to see whether imports can be followed."""

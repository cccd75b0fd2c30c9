"""Machinery of identity: passwords, tokens, keys, and who was verified a moment ago. No tables, no routes."""

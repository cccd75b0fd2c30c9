"""Proposes what a policy says of tools, from their names, descriptions and JSON schemas. For a person to edit."""

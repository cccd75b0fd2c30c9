"""Signing in through somebody else's OpenID provider (OpenID Connect Core 1.0, OAuth 2.0 Security BCP RFC 9700)."""

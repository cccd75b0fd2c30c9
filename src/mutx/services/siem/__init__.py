"""Audit events for the systems that watch: records, OCSF and CEF, syslog over TLS, HTTP."""

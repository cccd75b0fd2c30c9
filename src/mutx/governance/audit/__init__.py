"""The audit log's chain as bytes: entries, signed heads, files of evidence and their verification offline."""

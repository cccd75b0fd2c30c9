"""SPIFFE: what a workload is called, as its trust domain signs it."""

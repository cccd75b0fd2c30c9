"""The schema, step by step. `upgrade` runs at every start; the steps are in `versions/`."""

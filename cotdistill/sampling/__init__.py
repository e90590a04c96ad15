"""Draws completions into the ledger: jobs, the pool of workers, what a stored answer says."""

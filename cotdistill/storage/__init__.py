"""What is on disk: row files, the ledger, the run folder, and the keys that name things."""

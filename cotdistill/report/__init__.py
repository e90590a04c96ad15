"""What a run found, for people: read a run folder, then show it as a table, JSON or one HTML page."""

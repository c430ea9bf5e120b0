"""From an answered scan to rows in the database: the journal (hot side) and the writer (cold side)."""

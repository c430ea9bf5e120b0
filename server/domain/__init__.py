"""Values, rules, ports and use cases. No HTTP, no SQL, no clock of its own."""

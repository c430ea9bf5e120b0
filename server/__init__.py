"""The server: redirects scans, counts them, draws images and speaks the API. docs/architecture.md has the map."""

"""The hot room: raw ASGI in front of everything else. No framework, no JSON, no log line on success."""

"""What processes share in Redis, each kind a file: `connection` knows whether Redis is there."""

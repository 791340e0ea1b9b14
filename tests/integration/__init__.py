"""The whole controller against a real API server and a real PostgreSQL."""

"""`kubectl claims`, on a real API server and a real PostgreSQL, on a terminal and in a pipe."""

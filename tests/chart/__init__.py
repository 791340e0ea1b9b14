"""The Helm chart: what it renders, what it refuses, and its whole life on a real API server."""

"""The RDS double, the provider `aws` on it, and both under the whole controller with real PostgreSQL servers behind."""

"""The Kubernetes adapter of the object store's port: configuration, wire, and the one place that maps its errors.

What belongs here speaks HTTP to an API server. What happens to the objects afterwards does not.
"""

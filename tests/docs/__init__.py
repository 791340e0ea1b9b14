"""The documentation, generated and held to the code."""

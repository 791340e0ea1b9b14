"""The harnesses of the built-in plugins. Real servers and doubles come from the source tree, where the suite runs."""

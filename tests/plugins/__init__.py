"""Tests of loading plugins, and a stranger's plugin."""

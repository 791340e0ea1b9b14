"""The suite: `providers/` and `engines/`, each with the core profile and one profile per feature.

Modules import each other by their full names: pytest may know this package under a shorter one.
"""

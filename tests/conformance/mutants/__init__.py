"""Broken plugins, each made by one mistake that people make, and the test of the suite that is there to find it."""

"""Tests of the engine `postgres`, on real servers of every version."""

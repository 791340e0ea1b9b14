"""Tests of the local home."""

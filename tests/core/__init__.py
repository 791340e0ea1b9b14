"""Tests of the runtime, on a fake wire and a clock that stands still."""

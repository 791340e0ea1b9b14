"""The conformance suite: tells a good plugin from a bad one. `python -m dbclaims.conformance NAME`."""

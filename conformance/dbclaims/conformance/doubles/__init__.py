"""Doubles of clouds for tests: state machines on the vendor's own service model that refuse what the vendor refuses."""

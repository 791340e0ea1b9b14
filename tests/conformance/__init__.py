"""The conformance suite under test: by a sound plugin, by broken ones, and by one that is written step by step."""

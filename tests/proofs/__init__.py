"""Proofs of the protocol (PROTOCOL.md): rotation under load, crashes at every step, seeded histories."""

"""The reconcilers: one pass over a DatabaseServer, and one over a DatabaseClaim with all its roles.

What belongs here reads caches and Secrets, calls plugins, writes objects. Decisions are pure and live one folder up
(`naming`, `ownership`, `rotation`, `secrets`, `conditions`).
"""

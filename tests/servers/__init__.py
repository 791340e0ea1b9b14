"""Real database servers, a real pooler and broken hosts, started for tests and for `make demo`.

What belongs here starts or imitates a *server process*. Nothing here imports dbclaims, so that a defect of
ours cannot hide in the thing that is to find it.
"""

"""`kubectl claims`: what people ask of their claims, for a cluster and, as `dbclaims list` and so on, for a directory.

Each verb has a room of its own, of which only the one that is asked for is loaded. `list` must answer in a tenth of a
second of CPU time, so its way (`claims`, `verb`, `desk`, `screen`, `flags`, `listing`, `tables`, `cluster`, `wire`)
imports neither attrs nor urllib3 nor the models. No verb writes a spec: what people wish goes into annotations.
"""

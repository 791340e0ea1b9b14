"""The commands, one room for each; `dbclaims.core.cli` is the door."""

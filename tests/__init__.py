"""Everything that proves dbclaims; nothing here is installed with it."""

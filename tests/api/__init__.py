"""The objects, held to the API server and to kstatus."""

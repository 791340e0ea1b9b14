"""helm 3 and helm 4, built once from their pinned modules, and one release of a chart on a cluster."""

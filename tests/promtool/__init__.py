"""promtool: Prometheus' own checker and tester of rules."""

"""What operates the controller: rules, runbooks, dashboard, and what GitOps tools and k9s are given."""

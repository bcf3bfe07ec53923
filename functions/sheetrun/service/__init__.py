"""Use cases: jobs, models, calls, scenarios, webhooks, and the ports to the world that they need."""

"""A pretend world: social networks and a model endpoint over HTTP, with faults; it imports nothing of ours."""

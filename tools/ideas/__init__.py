"""Commands that make several posts out of one thought: repurposing, plans, experiments."""

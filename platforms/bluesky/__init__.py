"""Bluesky: posts as records in a person's repository, over the AT Protocol."""

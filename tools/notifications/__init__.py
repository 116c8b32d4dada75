"""Notifications: what happened to posts and accounts, and what would go wrong, for a workspace to read."""

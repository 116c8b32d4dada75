"""Accounts: connecting them, listing them, choosing the one that is meant."""

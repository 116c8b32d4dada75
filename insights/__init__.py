"""Arithmetic: pure functions over records; no database, no network, no model."""

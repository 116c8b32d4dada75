"""What was promised: the clock, and the claiming of due work."""

"""Counts: what each network says of how its live posts do, read again and again."""

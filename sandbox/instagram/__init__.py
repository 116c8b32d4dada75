"""Instagram as seen from outside: the content publishing API under both of its login products."""

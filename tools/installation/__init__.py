"""The installation: the database, secrets and first owner of a Studio, and what is wrong with it."""

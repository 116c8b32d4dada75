"""Records: models, queries and migrations of the one PostgreSQL database."""

"""The world: one folder per social network; it knows no database and no other network."""

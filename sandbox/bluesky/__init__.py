"""A pretend Bluesky: one server (PDS) with the view of all posts behind it."""

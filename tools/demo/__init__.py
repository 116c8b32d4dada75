"""The demo: example accounts, pictures and posts in the pretend networks."""

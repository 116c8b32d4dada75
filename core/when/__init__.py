"""Times as people say them: the server turns a phrase into an instant, and an instant into a receipt."""

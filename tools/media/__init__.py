"""Media on their way in: fetched or uploaded, recognised by content, kept in the store."""

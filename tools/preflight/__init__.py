"""Pre-flight: what is planned is looked at days before it goes out, and what would fail is told with its fix."""

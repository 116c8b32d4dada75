"""Posts: the commands that draft, schedule, move, publish and show them, and what they share."""

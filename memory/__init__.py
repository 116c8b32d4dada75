"""What Studio remembers: conversation checkpoints, history, brand voice and learned facts."""

"""Everything that arrives over HTTP: a projection of commands, never a rule of its own."""

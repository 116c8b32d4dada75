"""Publishing: the engine that walks a post through its network's steps, with a ledger before and after every call."""

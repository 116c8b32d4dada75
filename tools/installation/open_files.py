"""How many files and connections this process may have open: a thousand posts at once need as many."""

import resource

# A connection for each post on its way, those to PostgreSQL, and media that are read.
NEEDED = 4_096


def raise_limit() -> int:
    """Raise the soft limit as far as it is needed and allowed; the limit in force. Asks for no rights."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = NEEDED if hard == resource.RLIM_INFINITY else min(NEEDED, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        soft = allowed
    return NEEDED if soft == resource.RLIM_INFINITY else soft

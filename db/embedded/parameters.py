"""The settings our PostgreSQL is started with: small, safe, reachable by its owner alone."""

from collections.abc import Mapping, Sequence

# On the command line, so that every start has those of the version that starts it.
_ALWAYS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Small: a few processes of Studio on one machine, next to everything else it does.
    "shared_buffers": "48MB",
    "huge_pages": "off",
    "max_wal_size": "512MB",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    # No transaction spans a call to a model or a network, so a minute of silence in one is a mistake.
    "idle_in_transaction_session_timeout": "60s",
    # The log goes to stderr, which is a file, and carries no statement and no value of a row: those may be secret.
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_line_prefix": "%m [%p] ",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
    "lc_messages": "C",
}
_FROM_18 = {"io_method": "sync"}  # three processes fewer; reads of a small database come from memory
_MAJOR_WITH_IO_METHOD = 18


def arguments(major: int, socket_directory: str, extra: Mapping[str, str]) -> Sequence[str]:
    """The ``-c name=value`` arguments for ``postgres``; ``extra`` wins, except over where it listens."""
    chosen = {
        **_ALWAYS,
        **(_FROM_18 if major >= _MAJOR_WITH_IO_METHOD else {}),
        **extra,
        "listen_addresses": "",
        "unix_socket_directories": socket_directory,
    }
    return [word for name, value in chosen.items() for word in ("-c", f"{name}={value}")]

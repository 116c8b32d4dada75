"""Studio's own PostgreSQL: started on first need, shared by the processes of a data directory, gone with the last."""

"""Every statement, one module per noun."""

"""The hands: every operation of the product, defined once as a typed command."""

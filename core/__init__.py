"""The floor: settings, errors, clock, ids, log, vault, storage; it knows no noun of the product."""

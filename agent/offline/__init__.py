"""The offline model: a deterministic chat model that reads commands in plain English; it is rules, not an LLM."""

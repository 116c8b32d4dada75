"""The mind: LangGraph, prompts, model choice, runs and their events; it knows no HTTP and no platform."""

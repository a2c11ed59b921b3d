"""Configs of experiments, one per file; `get_config()` returns a ConfigDict."""

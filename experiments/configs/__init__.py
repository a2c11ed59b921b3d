"""Configs of experiments, a file each; `get_config()` returns a ConfigDict."""

"""Configurations of experiments; each file's `get_config()` gives one."""

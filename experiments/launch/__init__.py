"""Starts runs on clusters: examples to copy and change."""

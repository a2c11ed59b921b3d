"""Reads and checks configs, and builds the objects that they describe."""

"""Adversarial training of generators of discrete sequences, end to end, in JAX."""

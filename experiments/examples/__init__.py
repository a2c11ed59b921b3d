"""Example programs in which the library is a part of a larger program."""

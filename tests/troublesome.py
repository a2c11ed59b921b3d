"""A function of strings that fails for some of them, in a module that workers import quickly."""

import os
import time


def score(string):
    """Returns the length of a string, or fails in the way that the string names."""
    if string == "raise":
        raise KeyError("no such\nstring")
    if string == "hang":
        time.sleep(600)
    if string == "die":
        os._exit(3)
    return {"nan": float("nan"), "inf": float("inf"), "text": "?"}.get(string, len(string))

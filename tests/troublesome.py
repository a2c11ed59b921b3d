"""A function of strings for workers, which import it in no time, that makes trouble on some of them."""

import os
import time


def score(string):
    """The length of a string, or trouble."""
    if string == "raise":
        raise KeyError("no such\nstring")
    if string == "hang":
        time.sleep(600)
    if string == "die":
        os._exit(3)
    return {"nan": float("nan"), "inf": float("inf"), "text": "?"}.get(string, len(string))

"""The replacement for a piece of music that cannot be read."""

from typing import NamedTuple


class Unreadable(NamedTuple):
    """A tune or a score that cannot be read.

    Attributes:
      place: file and number of the tune, or file of the score, for reports, such as "'han1.abc', tune 12".
      reason: why it cannot be read, in a few words.
    """

    place: str
    reason: str

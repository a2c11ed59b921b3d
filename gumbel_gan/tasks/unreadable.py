"""What stands in the place of a piece of music that can't be read."""

from typing import NamedTuple


class Unreadable(NamedTuple):
    """A tune or a score that is not read.

    Attributes:
      place: where it stands, for notes, such as "'han1.abc', tune 12".
      reason: why, in a few words.
    """

    place: str
    reason: str

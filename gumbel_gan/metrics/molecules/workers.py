"""A function of many strings, in worker processes where that pays."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

from gumbel_gan.arguments import require_at_least

Result = TypeVar("Result")

# A worker takes seconds to start, and a molecule some milliseconds.
_LEAST_STRINGS = 1_000
_AT_ONCE = 100


def map_strings(function: Callable[[str], Result], strings: Sequence[str], *, num_workers: int = 1) -> list[Result]:
    """Returns a function of each string, called once for those that are equal.

    Args:
      function: of a string; for workers a function of a module, since it is sent to them by name.
      strings: N strings.
      num_workers: processes to share the work; 1 does it in this one, as is done for few strings. A program with more
        must have its main part below `if __name__ == "__main__"`, since the processes import it.

    Returns:
      N results.

    Raises:
      TypeError: `num_workers` is not an integer.
      ValueError: it is less than 1.
    """
    require_at_least(1, num_workers=num_workers)
    distinct = list(dict.fromkeys(strings))
    if num_workers == 1 or len(distinct) < _LEAST_STRINGS:
        results = list(map(function, distinct))
    else:
        # Not forked: JAX has threads.
        with ProcessPoolExecutor(num_workers, mp_context=multiprocessing.get_context("spawn")) as pool:
            results = list(pool.map(function, distinct, chunksize=_AT_ONCE))
    result_of = dict(zip(distinct, results, strict=True))
    return [result_of[string] for string in strings]

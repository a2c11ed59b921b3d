"""Applies a function to many strings, in worker processes if there are enough strings."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

from gumbel_gan.arguments import require_at_least

Result = TypeVar("Result")

# A worker takes seconds to start, while a molecule takes some milliseconds.
_LEAST_STRINGS = 1_000
_AT_ONCE = 100


def map_strings(function: Callable[[str], Result], strings: Sequence[str], *, num_workers: int = 1) -> list[Result]:
    """Applies a function to each string, once for equal strings.

    Args:
      function: function of a string. For worker processes, it must be defined at the top level of a module, since it is
        sent to them by name.
      strings: N strings.
      num_workers: number of processes. With 1 process or few strings, the work is done in the calling process. A
        program that uses more must have its main part below `if __name__ == "__main__"`, since the processes import it.

    Returns:
      N results.

    Raises:
      TypeError: `num_workers` is not an integer.
      ValueError: `num_workers` is less than 1.
    """
    require_at_least(1, num_workers=num_workers)
    distinct = list(dict.fromkeys(strings))
    if num_workers == 1 or len(distinct) < _LEAST_STRINGS:
        results = list(map(function, distinct))
    else:
        # Spawned, not forked, since JAX has threads.
        with ProcessPoolExecutor(num_workers, mp_context=multiprocessing.get_context("spawn")) as pool:
            results = list(pool.map(function, distinct, chunksize=_AT_ONCE))
    result_of = dict(zip(distinct, results, strict=True))
    return [result_of[string] for string in strings]

"""Records how a network was built."""

import functools
import inspect
from collections.abc import Callable
from typing import ParamSpec

from gumbel_gan.networks.interface import Generator

P = ParamSpec("P")


def recorded(builder: Callable[P, Generator]) -> Callable[P, Generator]:
    """Wraps a function that builds a generator, so that its name and arguments are recorded in `Generator.built_by`."""
    signature = inspect.signature(builder)

    @functools.wraps(builder)
    def build(*args: P.args, **kwargs: P.kwargs) -> Generator:
        generator = builder(*args, **kwargs)
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return generator._replace(built_by=(builder.__name__, tuple(bound.arguments.items())))

    return build

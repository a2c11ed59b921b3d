"""The settings of generators of this library as plain JSON, so that they can be rebuilt from a file."""

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gumbel_gan.networks.cells import GRUCell, LSTMCell
from gumbel_gan.networks.conditions import Labels, Sequences, Vectors
from gumbel_gan.networks.interface import Generator
from gumbel_gan.networks.one_pass_generator import convolutional_one_pass_generator, one_pass_generator
from gumbel_gan.networks.recurrent_generator import recurrent_generator
from gumbel_gan.networks.transformer_generator import transformer_generator

# The only functions that settings from a file can call.
_BUILDERS: Mapping[str, Callable[..., Generator]] = {
    each.__name__: each
    for each in (recurrent_generator, transformer_generator, one_pass_generator, convolutional_one_pass_generator)
}
_CELLS = {each.__name__: each for each in (LSTMCell, GRUCell)}
_CONDITIONS = {each.__name__: each for each in (Labels, Vectors, Sequences)}
_UNKNOWN = object()


def settings_of(generator: Generator) -> dict[str, Any] | None:
    """Returns the settings that `from_settings` builds a generator from, as plain JSON; None if there are none.

    There are none for a network of your own, for a cell that is not of this library, and for a traced dropout rate.
    """
    if generator.built_by is None:
        return None
    name, arguments = generator.built_by
    plain = {argument: jnp.dtype(value).name if argument == "dtype" else _plain(value) for argument, value in arguments}
    return None if any(value is _UNKNOWN for value in plain.values()) else {"name": name} | plain


def from_settings(settings: Any) -> Generator:
    """Builds the generator that settings describe. Only this package's builders of generators are called.

    Args:
      settings: the result of `settings_of`, which may have been read from a file.

    Raises:
      ValueError: `settings` do not describe a generator of this version of the library.
    """
    if not isinstance(settings, Mapping) or settings.get("name") not in _BUILDERS:
        raise ValueError(f"settings must name one of {', '.join(_BUILDERS)}, got {settings!r}")
    builder = _BUILDERS[settings["name"]]
    arguments = {name: value for name, value in settings.items() if name != "name"}
    known = inspect.signature(builder).parameters
    for name in arguments:
        if name not in known:
            raise ValueError(f"settings of {settings['name']} must be among {', '.join(known)}; got {name}")
    try:
        return builder(**{name: _value(name, value) for name, value in arguments.items()})
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"settings must be those of a {settings['name']}, got {settings!r}: {error}") from error


def _plain(value: Any) -> Any:
    """Returns an argument as plain JSON; `_UNKNOWN` if it has no such form."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic | np.ndarray | jax.Array):
        return _UNKNOWN if isinstance(value, jax.core.Tracer) else np.asarray(value).item()
    if isinstance(value, Labels | Vectors | Sequences):
        return {"name": type(value).__name__} | dataclasses.asdict(value)
    for name, cell in _CELLS.items():
        if value is cell:
            return name
    return _UNKNOWN


def _value(name: str, value: Any) -> Any:
    """Returns the argument `name` from its form in plain JSON."""
    if name == "cell":
        return _CELLS[value]
    if name == "dtype":
        return jnp.dtype(value)
    if name == "condition" and value is not None:
        fields = dict(value)
        return _CONDITIONS[fields.pop("name")](**fields)
    return value

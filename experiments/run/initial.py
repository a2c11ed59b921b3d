"""Training that starts from the networks and the vocabulary of another run."""

import contextlib
import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments.config import build, data_defaults, registries
from experiments.config.run_config import RunConfig
from experiments.run.restore import Restored, restore

_PATH = "config.init_from"
# Number of symbols that are added to find the axes of a network that depend on the number of symbols.
_PROBE = 7


def self_contained(config: RunConfig) -> RunConfig:
    """Returns a config that needs the run of `init_from` only once: with the run's absolute path and symbols.

    Network widths that are left to the data are those of that run.

    Raises:
      ValueError: the folder holds no run with a checkpoint.
    """
    if not config.init_from or config.init_symbols:
        return config
    source = _source(config.init_from)
    config = data_defaults.taken_sizes(config, source.config)
    return dataclasses.replace(
        config, init_from=str(Path(config.init_from).resolve()), init_symbols=source.experiment.task.symbols
    )


def from_run(config: RunConfig, experiment: build.Experiment, state: Any) -> Any:
    """Returns initial states whose networks are replaced by those of another run.

    The generator takes the EMA of the other run's parameters. The vocabulary of the other run comes first in the new
    one; parameters of new symbols keep their initial values. The parameters of the discriminator are taken only if all
    of them fit. Optimizers keep their initial states. Replica m takes the networks of the other run's replica m, modulo
    the number of replicas there.

    Args:
      config: the config, with `init_from`.
      experiment: the task and the algorithm.
      state: the initial states, with a leading axis of S replicas.

    Raises:
      ValueError: the sources have other symbols, the generators are of different kinds or sizes, or the discriminator
        has no parameters of the generator with `init_discriminator="generator"`.
    """
    source = _source(config.init_from)
    if source.experiment.task.source != experiment.task.source:
        raise ValueError(f"{_PATH} must name a run whose sources have the same symbols, got {config.init_from!r}")
    num_symbols = source.experiment.task.num_symbols
    axes = _symbol_axes(config, experiment, state)
    num_replicas = jax.tree.leaves(state)[0].shape[0]
    num_others = jax.tree.leaves(source.state)[0].shape[0]

    def taken(new: Any, old: Any, axes: Any, name: str) -> Any:
        """Returns the parameters of one network."""
        if str(jax.tree.structure(new)) != str(jax.tree.structure(old)):
            raise ValueError(f"{_PATH} must name a run with the same {name}, got one of another kind")

        def leaf(path: Any, one: jax.Array, other: jax.Array, along: int) -> jax.Array:
            of_replica = jnp.asarray(np.asarray(other)[np.arange(num_replicas) % num_others])
            merged = _merged(one, of_replica, along, num_symbols, experiment.task.num_symbols)
            if merged is None:
                where = jax.tree_util.keystr(path, simple=True, separator=".")
                raise ValueError(
                    f"{_PATH} must name a run with the same {name}, but {where} of {config.init_from!r} is "
                    f"{other.shape[1:]}, and {one.shape[1:]} here"
                )
            return merged

        return jax.tree_util.tree_map_with_path(leaf, new, old, axes)

    networks, others, axes = (_networks(each) for each in (state, source.state, axes))
    generator = taken(
        networks.generator_params, source.experiment.algorithm.params(source.state), axes.generator_params, "generator"
    )
    networks = networks._replace(generator_params=generator, ema_params=jax.tree.map(jnp.copy, generator))
    if config.init_discriminator == "generator":
        if not hasattr(networks, "discriminator_params"):
            raise ValueError(f"config.init_discriminator must be 'run' for {config.algorithm.name}, got 'generator'")
        discriminator = _of_generator(
            networks.discriminator_params, generator, axes.discriminator_params, experiment.task.num_symbols
        )
        return _with_networks(state, networks._replace(discriminator_params=discriminator))
    reads_behavior = registries.ALGORITHMS[config.algorithm.name].reads_behavior
    has_both = hasattr(networks, "discriminator_params") and hasattr(others, "discriminator_params")
    if has_both and not (reads_behavior and num_symbols != experiment.task.num_symbols):
        with contextlib.suppress(ValueError):
            discriminator = taken(
                networks.discriminator_params, others.discriminator_params, axes.discriminator_params, "discriminator"
            )
            networks = networks._replace(discriminator_params=discriminator)
    return _with_networks(state, networks)


def _of_generator(discriminator: Any, generator: Any, axes: Any, num_symbols: int) -> Any:
    """Returns a discriminator's parameters with those of a generator where their names and sizes are equal.

    Where a generator also reads a start symbol, after the `num_symbols` symbols, the entries of that symbol are left
    out.

    Raises:
      ValueError: no parameters have the same name and size.
    """
    of_generator = dict(jax.tree_util.tree_flatten_with_path(generator)[0])
    taken = []

    def leaf(path: Any, one: jax.Array, axis: int) -> jax.Array:
        other = of_generator.get(path)
        if other is not None and axis >= 0 and other.ndim == one.ndim and other.shape[axis] == one.shape[axis] + 1:
            other = jnp.delete(other, num_symbols, axis=axis)
        if other is None or other.shape != one.shape:
            return one
        taken.append(path)
        return jnp.copy(other)

    params = jax.tree_util.tree_map_with_path(leaf, discriminator, axes)
    if not taken:
        raise ValueError(
            "config.init_discriminator must be 'run' with this discriminator: none of its parameters has the name and "
            "size of one of the generator's; both may be recurrent with the same cell and hidden_size"
        )
    return params


def _networks(state: Any) -> Any:
    """Returns the part of a state that holds the generator's parameters: the state itself, or one of its fields."""
    return next(part for part in (state, *state) if hasattr(part, "generator_params"))


def _with_networks(state: Any, networks: Any) -> Any:
    """Returns a state in which the part that `_networks` returns is replaced by another."""
    if hasattr(state, "generator_params"):
        return networks
    name = next(name for name in state._fields if hasattr(getattr(state, name), "generator_params"))
    return state._replace(**{name: networks})


@functools.lru_cache(maxsize=1)
def _source(folder: str) -> Restored:
    try:
        return restore(folder, platform=None, flag=_PATH)
    except OSError as error:
        raise ValueError(f"{_PATH}: {error}") from error


def _symbol_axes(config: RunConfig, experiment: build.Experiment, state: Any) -> Any:
    """Returns for each leaf the axis whose size depends on the number of symbols; -1 if there is no such axis."""
    task = experiment.task
    more = tuple(f"\0{number}" for number in range(_PROBE))
    larger = task._replace(vocabulary=task.vocabulary._replace(symbols=(*task.symbols, *more)))
    init: Callable[..., Any] = build.algorithm(config, larger).init
    others = jax.eval_shape(jax.vmap(init), jax.eval_shape(lambda: jax.random.split(jax.random.key(0), 2)))

    def axis(one: Any, other: Any) -> int:
        differ = [index for index in range(1, one.ndim) if one.shape[index] != other.shape[index]]
        return differ[0] if len(differ) == 1 else -1

    return jax.tree.map(axis, state, others)


def _merged(new: jax.Array, old: jax.Array, axis: int, num_old: int, num_new: int) -> jax.Array | None:
    """Returns an array of the new size with the entries of the old symbols; None if the sizes do not fit.

    The axis holds the symbols, followed by entries that do not depend on the number of symbols: the start symbol, and
    the hidden state if a cell multiplies both by one matrix.
    """
    if axis < 0:
        return old if new.shape == old.shape else None
    rest = new.shape[axis] - num_new
    fits = new.ndim == old.ndim and all(
        one == other for index, (one, other) in enumerate(zip(new.shape, old.shape, strict=False)) if index != axis
    )
    if not fits or old.shape[axis] - num_old != rest:
        return None
    if num_old == num_new:
        return old
    new, old = jnp.moveaxis(new, axis, 0), jnp.moveaxis(old, axis, 0)
    merged = new.at[:num_old].set(old[:num_old])
    if rest:
        merged = merged.at[num_new:].set(old[num_old:])
    return jnp.moveaxis(merged, 0, axis)

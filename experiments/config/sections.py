"""Sections of a config. Each section names an object to build and holds the settings to build it with.

The signature of the function that a section names determines the names, the types and the defaults of the settings.
"""

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from experiments.config import schedule_text, values
from experiments.config.choices import choose, shown
from experiments.config.run_config import Section
from gumbel_gan.arguments import Scalar, at_step

# Hyperparameters that must stay in [0, 1].
_SHARES = (
    *("instance_noise", "sampling_rate", "restart_rate", "score_weight", "weight_exponent"),
    *("ema_decay", "discriminator_ema_decay", "adversarial_weight"),
)

_LONGEST_MESSAGE = 800


@dataclasses.dataclass(frozen=True)
class Reader:
    """Reads the settings of sections, at one point of a sweep.

    Attributes:
      num_steps: length of schedules that do not state their length.
      sweep: the sweep of the config.
      point: index of the point of the sweep; may be traced.
      scalars: paths of the scalar settings that were read so far, which a sweep may name.
    """

    num_steps: int
    sweep: Mapping[str, tuple[float | str, ...]] = dataclasses.field(default_factory=dict)
    point: ArrayLike = 0
    scalars: set[str] = dataclasses.field(default_factory=set)

    def named(self, section: Any, path: str, makers: Mapping[str, Callable[..., Any]], **given: Any) -> Any:
        """Calls the function that a section names.

        Args:
          section: a mapping with a `name` and settings.
          path: name of the section, for errors.
          makers: the functions by name.
          **given: arguments that are not settings; those that the function has no parameter for are dropped.

        Raises:
          ValueError: a setting is unknown, missing, of a wrong type or out of range; the message names the setting.
        """
        settings = dict(mapping(section, path))
        maker = makers[choose(pop(settings, "name", path), makers, f"{path}.name")]
        known = values.parameters(maker)
        return self.call(maker, settings, path, **{name: value for name, value in given.items() if name in known})

    def call(self, function: Callable[..., Any], section: Any, path: str, **given: Any) -> Any:
        """Calls a function with the settings of a section; a setting without a default is required.

        Args:
          function: the function.
          section: the settings.
          path: name of the section, for errors.
          **given: arguments that are not settings.

        Raises:
          ValueError: a setting is unknown, missing, of a wrong type or out of range; the message names the setting.
        """
        known = {
            name: parameter
            for name, parameter in values.parameters(function).items()
            if name not in given and values.is_setting(parameter.annotation)
        }
        section = mapping(section, path)
        for name in section:
            choose(name, known, path, what="setting")
        arguments = {}
        for name, parameter in known.items():
            setting = f"{path}.{name}"
            swept = self._swept(setting, parameter.annotation)
            if swept is not None:
                arguments[name] = swept
            elif name in section:
                arguments[name] = self.read(section[name], parameter.annotation, setting)
            elif parameter.default is inspect.Parameter.empty:
                raise ValueError(f"{setting} is missing")
        try:
            return function(**given, **arguments)
        except (ImportError, TypeError, ValueError, OSError) as error:
            message = str(error)
            for value in arguments.values():
                message = message.replace(repr(value), shown(value))
            cut = "..." if len(message) > _LONGEST_MESSAGE else ""
            raise ValueError(f"{path}: {message[:_LONGEST_MESSAGE]}{cut}") from error

    def read(self, value: Any, annotation: Any, path: str) -> Any:
        """Reads a value as the type of its parameter requires.

        Raises:
          ValueError: the value has another type, or is not the text of a schedule.
        """
        if not values.is_scalar(annotation):
            return values.check(value, annotation, path)
        if values.is_none(value, annotation):
            return None
        wanted = "a number or a schedule" if values.takes_schedules(annotation) else "a finite number"
        if (not isinstance(value, str) and not values.is_finite(value)) or value == "none":
            raise ValueError(f"{path} must be {wanted}, got {shown(value)}")
        if not isinstance(value, str):
            return value
        read = schedule_text.parse(value, path, self.num_steps)
        if callable(read) and not values.takes_schedules(annotation):
            raise ValueError(f"{path} must be {wanted}, got {shown(value)}")
        self._check_share(read, path)
        return read

    def check_swept(self) -> None:
        """Raises ValueError unless the sweep names only scalar settings that were read."""
        for name in self.sweep:
            choose(name, self.scalars, "config.sweep", what="setting")

    def _swept(self, path: str, annotation: Any) -> Scalar | None:
        """Returns the value of a setting at the point of the sweep; None if the setting is not swept."""
        if not values.is_scalar(annotation):
            return None
        name = path.removeprefix("config.")
        self.scalars.add(name)
        if name not in self.sweep:
            return None
        read = [self.read(value, annotation, path) for value in self.sweep[name]]
        if any(value is None for value in read):
            raise ValueError(f"config.sweep: {name} must be a list of numbers or schedules, got 'none' in it")
        if isinstance(self.point, int):
            return read[self.point]
        if not any(map(callable, read)):
            return jnp.asarray(read)[self.point]
        return lambda step: jnp.stack([jnp.asarray(at_step(value, step), jnp.float32) for value in read])[self.point]

    def _check_share(self, value: Scalar, path: str) -> None:
        if path.rpartition(".")[2] in _SHARES and callable(value):
            # The values of a schedule lie between the values at its two ends.
            with jax.ensure_compile_time_eval():
                ends = [np.asarray(value(step)).item() for step in (0, self.num_steps)]
            if max(ends) > 1:
                raise ValueError(f"{path} must stay in [0, 1], got {ends[0]:g} to {ends[1]:g}")


def as_mapping(section: Section) -> dict[str, Any]:
    """Returns a section as a mapping that includes its `name`."""
    return {"name": section.name, **section.settings}


def mapping(section: Any, path: str) -> Mapping[str, Any]:
    """Returns a section; raises ValueError if it is not a mapping."""
    if not isinstance(section, Mapping):
        raise ValueError(f"{path} must be a section with settings, got {shown(section)}")
    return section


def pop(section: dict[str, Any], name: str, path: str) -> Any:
    """Removes a setting from a section and returns it; raises ValueError if the section does not have it."""
    if name not in section:
        raise ValueError(f"{path}.{name} is missing")
    return section.pop(name)

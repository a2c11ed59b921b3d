"""The results of a finished run: the typed content of `summary.json`."""

import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from experiments.run.directory import RunDirectory
from experiments.run.texts import Row, write_json

SCHEMA_VERSION = 2
"""Version of the files that are written. Files without `schema_version` are of version 1."""

NUM_SHOWN = 20
"""Samples of a replica that are shown, and whose validity the summary holds."""

# Names of fields in version 1.
_RENAMED = {"length_law": "length_distribution"}


@dataclass(frozen=True)
class Summary:
    """The results of a finished run with S replicas. A replica is a seed at a point of the run's sweep.

    Attributes:
      metrics: the final metrics by name, each a list of S numbers; None stands for a value that is not finite or not
        known. `gumbel_gan.metrics.METRICS` describes them.
      seeds: seed of each replica.
      steps: number of training steps.
      task: name of the task.
      algorithm: name of the algorithm.
      validity_method: how validity is decided: 'enumeration', 'parser' or another method; None if it cannot be decided.
      num_samples: number of samples of each replica.
      training_set: the metrics of the training sequences.
      sampling_floor: the metrics of draws from the true distribution, or of the test sequences if it is not known.
      wall_seconds: duration of the run.
      backend: JAX's backend.
      points: index of each replica's point of the sweep.
      sweep: for each point, the swept settings and their values at this point.
      latent_draws: number of draws of the latent in the Monte-Carlo mean of a likelihood; 0 if likelihoods are exact.
      num_compared: number of samples of each replica that are compared with as many held-out sequences; 0 for none.
      heldout: the split of the held-out sequences.
      num_states: number of sequences whose hidden states are observed; 0 for none.
      notes: remarks of the task about its data.
      image_shape: height and width of the images that the sequences represent; None if they do not represent images.
      hardware: the hardware that the run was trained on.
      date: ISO date of the measurement.
      versions: versions of Python and of packages.
      intervals: for each metric of the comparison, the ends of S 95 % intervals.
      training_sample: for each metric of the comparison, the value, low and high of training sequences.
      heldout_sample: for each metric of the comparison, the value, low and high of other held-out sequences.
      length_distribution: share of each length, for `members` (the replicas), `heldout` and `train`; None if all
        lengths are equal.
      long_samples: `length`, `starts` of the parts and for each n-gram divergence `[S, parts]`; None if not measured.
      trade_off: `temperatures`, and metrics `[S, temperatures]` by name; None if not measured.
      dynamics: the result of `experiments.run.dynamics.accuracies`; None if not measured.
      diverged: for each replica, the step at which it diverged, or None. A diverged replica is measured at its last
        finite state. Empty if divergence was not recorded.
      best: `metric`, and its best `values` during training and their `steps`, one per replica; None if none are kept.
      calls: the result of `experiments.run.calls.section`; None if the run has no property.
      summarized: the states that are measured, 'last' or 'best'.
      samples_valid: for each point of the sweep, whether the first samples of its first replica are valid; None if
        validity is not known.
    """

    metrics: dict[str, list[Any]]
    seeds: list[int]
    steps: int
    task: str
    algorithm: str
    validity_method: str | None
    num_samples: int
    training_set: Row
    sampling_floor: Row
    wall_seconds: float
    backend: str
    points: list[int]
    sweep: list[Row] = field(default_factory=lambda: [{}])
    latent_draws: int = 0
    num_compared: int = 0
    heldout: str = "test"
    num_states: int = 0
    notes: list[str] = field(default_factory=list)
    image_shape: list[int] | None = None
    hardware: str = "hardware not recorded"
    date: str = "date not recorded"
    versions: Row = field(default_factory=dict)
    intervals: Row = field(default_factory=dict)
    training_sample: Row = field(default_factory=dict)
    heldout_sample: Row = field(default_factory=dict)
    length_distribution: Row | None = None
    long_samples: Row | None = None
    trade_off: Row | None = None
    dynamics: Row | None = None
    diverged: list[int | None] = field(default_factory=list)
    best: Row | None = None
    calls: Row | None = None
    summarized: str = "last"
    samples_valid: list[list[bool]] | None = None

    def replicas_at(self, point: int) -> list[int]:
        """Returns the indices of the replicas at a point of the sweep."""
        return [index for index, each in enumerate(self.points) if each == point]

    def to_json(self) -> Row:
        """Returns the content of `summary.json`: the metrics, then the other fields, without those that are None."""
        others = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "metrics"}
        known = {name: value for name, value in others.items() if value is not None or name == "validity_method"}
        return {"schema_version": SCHEMA_VERSION} | self.metrics | known

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Summary":
        """Reads the content of a `summary.json` of this version or an older one.

        Args:
          stored: the content. Fields that an older version lacks take their defaults. Lists of S entries that are not
            fields are metrics. All other entries are ignored.

        Raises:
          ValueError: a newer version wrote the file, a field without a default is missing, or a field has a wrong type.
        """
        version = stored.get("schema_version", 1)
        if not isinstance(version, int) or version > SCHEMA_VERSION:
            raise ValueError(
                f"summary.json must have a schema_version of at most {SCHEMA_VERSION}, which this version reads, "
                f"got {version!r}"
            )
        found = {_RENAMED.get(name, name): value for name, value in stored.items()}
        hints = typing.get_type_hints(cls)
        named = {name: found[name] for name in hints if name != "metrics" and name in found}
        if "seeds" in named:
            named.setdefault("points", [0] * len(named["seeds"]))
        required = [each.name for each in fields(cls) if each.default is each.default_factory is MISSING]
        for name in required:
            if name not in named and name != "metrics":
                raise ValueError(f"summary.json must hold {name!r}, but this one, of version {version}, lacks it")
        for name, value in named.items():
            if not _is_of(value, hints[name]):
                raise ValueError(
                    f"{name!r} in summary.json, of version {version}, must be {hints[name]}, got {value!r}"
                )
        num_replicas = len(named["seeds"])
        others = {name: value for name, value in found.items() if name not in hints}
        metrics = {
            name: value for name, value in others.items() if isinstance(value, list) and len(value) == num_replicas
        }
        return cls(metrics=metrics, **named)


def read_summary(run: RunDirectory) -> Summary:
    """Reads the summary of a finished run.

    Args:
      run: the run's folder.

    Raises:
      ValueError: the run is not finished, or this version cannot read its summary.
    """
    stored = run.read_summary()
    try:
        return Summary.from_json(stored)
    except ValueError as error:
        raise ValueError(f"{str(run.path)!r}: {error}") from error


def write_summary(run: RunDirectory, summary: Summary) -> None:
    """Writes the summary, which marks the run as finished and is therefore the last file to be written."""
    write_json(run.summary, summary.to_json())


def _is_of(value: Any, hint: Any) -> bool:
    """Returns whether a JSON value has the type of a field; for lists and mappings, only the outer type is checked."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return any(_is_of(value, each) for each in typing.get_args(hint))
    outer = typing.get_origin(hint) or hint
    if outer is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, outer) and not (outer is int and isinstance(value, bool))

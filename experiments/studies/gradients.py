"""Compares gradient estimators with the exact gradient of a generator small enough to enumerate.

python -m experiments.study gradients --workdir=DIR [--num_sequences=10000] [--num_steps=2000] [--estimators=all]

The generator has 6^4 sequences; it and the discriminator are LSTMs of width 8. Gradients are measured for random
networks, and for the networks of a relaxed GAN at the start, after a twentieth, after a quarter and at the end of
training; and for a generator of independent symbols with the random discriminator. The loss is the non-saturating one.
An interrupted study is resumed: results in its results.json are not measured again.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

import gumbel_gan as gg
from experiments import cli
from experiments.reports import gradient_figures
from experiments.run.texts import write_json, write_text
from experiments.studies import gradient_estimates as estimates
from experiments.studies.study import Flag
from gumbel_gan import training

FLAGS = (
    Flag("num_sequences", 10_000, "Number of sequences in each mean."),
    Flag("num_steps", 2_000, "Number of steps of the run whose networks are used."),
    Flag("estimators", "all", "Names of estimators, separated by commas; 'all' takes every one."),
)
TEMPERATURES = (30.0, 5.0, 2.0, 1.0, 0.5, 0.2, 0.1, 0.01)
_NUM_SYMBOLS, _LENGTH, _HIDDEN = 6, 4, 8
# Factor on the initial parameters of the random networks, so that the loss is not flat.
_SPREAD = 3.0


class Stage(NamedTuple):
    """Networks for which gradients are measured.

    Attributes:
      problem: the generator's problem, with its estimators.
      params: `[P]` parameters of the generator.
      given: parameters of the discriminator.
    """

    problem: estimates.Problem
    params: jax.Array
    given: Any


def measure(workdir: Path, *, num_sequences: int, num_steps: int, estimators: str) -> Path:
    """Measures the missing results, and writes results, tables and figures.

    Args:
      workdir: the folder of the study.
      num_sequences: sequences over which each mean is taken.
      num_steps: training steps of the GAN.
      estimators: names, separated by commas, or 'all'.

    Returns:
      The path of the table.

    Raises:
      ValueError: the folder holds a study with other settings, or an estimator is unknown.
    """
    settings = {"num_sequences": num_sequences, "num_steps": num_steps}
    results = workdir / "results.json"
    cells = _stored(results, settings)
    found = stages(num_steps)
    known = sorted({name for stage in found.values() for name in stage.problem.draws})
    chosen = known if estimators == "all" else [name.strip() for name in estimators.split(",")]
    for name in chosen:
        if name not in known:
            raise ValueError(f"--estimators must be all, or some of {', '.join(known)}; got {name!r}")
    workdir.mkdir(parents=True, exist_ok=True)
    programs: dict[Any, Any] = {}
    for title, stage in found.items():
        exact = np.asarray(stage.problem.exact(stage.params, stage.given), np.float64)
        for name, draw in stage.problem.draws.items():
            keys = {temperature: f"{title}/{name}/{temperature:g}" for temperature in _temperatures(draw)}
            if name not in chosen or all(key in cells for key in keys.values()):
                continue
            which = (len(stage.params), name)
            if which not in programs:
                programs[which] = estimates.compiled(draw, num_sequences, stage.params, stage.given)
            for temperature, key in keys.items():
                arguments = (jax.random.key(1), jnp.float32(temperature), stage.params, stage.given)
                cells[key] = estimates.measure(programs[which], draw, num_sequences, exact, arguments)
            write_json(results, {"settings": settings, "cells": cells})
            best = min((cells[key] for key in keys.values()), key=lambda cell: cell["error"][0])
            cli.screen().print(
                f"{title}: {name}: least error at batch {estimates.BATCH} {best['error'][0]:.3f}, "
                f"bias {best['bias'][0]:.3f}, deviation {best['deviation'][0]:.2f}",
                highlight=False,
            )
    text = table(cells)
    write_text(workdir / "table.md", text)
    gradient_figures.draw_trade_off(cells, workdir / "bias_variance.png")
    gradient_figures.draw_limits(cells, workdir / "limits.png")
    return workdir / "table.md"


def stages(num_steps: int) -> dict[str, Stage]:
    """Trains the small GAN, and returns the stages by title."""
    model = gg.sequence_model(gg.lstm_generator(_NUM_SYMBOLS, _HIDDEN), length=_LENGTH)
    discriminator = gg.lstm_discriminator(_NUM_SYMBOLS, _HIDDEN)
    task = gg.oracle_task(
        num_symbols=_NUM_SYMBOLS, length=_LENGTH, hidden_size=_HIDDEN, num_train=2_000, num_heldout=10
    )
    optimizer = optax.adam(3e-3, b1=0.5)
    algorithm = gg.relaxed_gan(
        model,
        discriminator,
        generator_optimizer=optimizer,
        discriminator_optimizer=optimizer,
        objective=gg.non_saturating,
        estimator=gg.straight_through,
        penalty=gg.GradientPenalty(0.3, 0.3),
    )
    keys = training.run_keys(0)
    state = algorithm.init(keys.init)
    flat, unravel = estimates.flat(state.generator_params)
    problem = estimates.autoregressive(model, discriminator, unravel)
    random_generator, random_discriminator = (
        jax.tree.map(lambda leaf: _SPREAD * leaf, part) for part in (flat, state.discriminator_params)
    )
    found = {"random": Stage(problem, random_generator, random_discriminator)}
    chunk = max(1, num_steps // 20)

    @jax.jit
    def train(state: Any) -> Any:
        return training.train(algorithm, keys.train, state, task.train, batch_size=128, num_steps=chunk)[0]

    for step in (0, chunk, 5 * chunk, 20 * chunk):
        while int(state.step) < step:
            state = train(state)
        generator = estimates.flat(state.generator_params)[0]
        found[f"step {step:,}"] = Stage(problem, generator, state.discriminator_params)
    of_symbols = estimates.independent(_NUM_SYMBOLS, _LENGTH, discriminator)
    logits = jax.random.normal(jax.random.key(2), (_LENGTH * _NUM_SYMBOLS,), jnp.float32)
    found["independent"] = Stage(of_symbols, logits, random_discriminator)
    return found


def table(cells: Mapping[str, Mapping[str, Any]]) -> str:
    """Returns the tables in Markdown, one per stage, with rows for the temperature of least error and temperature 1."""
    lines = [
        "Relative to the norm of the exact gradient: bias; standard deviation of a single sequence's estimate; error, "
        f"the root of the mean squared error of a batch of {estimates.BATCH}. Intervals of 95 % by the jackknife over "
        "groups. A row each for the temperature τ of the least error and, where it is another, τ = 1; microseconds a "
        f"sequence on a shared machine. jax {jax.__version__}.",
    ]
    for stage, rows in grouped(cells).items():
        lines += ["", f"## {stage}", ""]
        lines += ["| estimator | τ | bias | deviation | cosine | error | µs |", "|---|---|---|---|---|---|---|"]
        for name, of_temperatures in rows.items():
            best = min(of_temperatures, key=lambda temperature: of_temperatures[temperature]["error"][0])
            for temperature in (best, *({1.0} & set(of_temperatures) - {best})):
                lines.append(_row(name, temperature, of_temperatures))
    return "\n".join(lines) + "\n"


def grouped(cells: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, dict[float, Mapping[str, Any]]]]:
    """Returns results by stage, estimator and temperature."""
    found: dict[str, dict[str, dict[float, Mapping[str, Any]]]] = {}
    for key, cell in cells.items():
        stage, name, temperature = key.split("/")
        found.setdefault(stage, {}).setdefault(name, {})[float(temperature)] = cell
    return found


def _row(name: str, temperature: float, of_temperatures: Mapping[float, Mapping[str, Any]]) -> str:
    cell = of_temperatures[temperature]
    shown = "–" if len(of_temperatures) == 1 else f"{temperature:g}"
    cells = [_interval(cell[column]) for column in ("bias", "deviation", "cosine", "error")]
    return f"| `{name}` | {shown} | {' | '.join(cells)} | {cell['microseconds']:.1f} |"


def _interval(values: Sequence[float]) -> str:
    value, low, high = values
    return f"{value:.3g} ({low:.3g}–{high:.3g})"


def _temperatures(draw: estimates.Draw) -> tuple[float, ...]:
    return TEMPERATURES if draw.is_tempered else (1.0,)


def _stored(path: Path, settings: Mapping[str, int]) -> dict[str, Any]:
    """Returns the stored results; raises ValueError if they have other settings."""
    if not path.exists():
        return {}
    stored = json.loads(path.read_text(encoding="utf-8"))
    if stored["settings"] != settings:
        raise ValueError(
            f"--workdir must be empty or hold this very study, but {str(path)!r} has {stored['settings']}, "
            f"not {dict(settings)}"
        )
    return dict(stored["cells"])

"""Times networks with many symbols, and teacher forcing in one pass; reports the ratios of one run.

python -m experiments.benchmarks.networks [--output=FILE.json] [--num_rounds=9]

It takes about five minutes on two CPU cores.
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import optax
from absl import flags

import gumbel_gan as gg
from experiments import cli, devices
from experiments.benchmarks import flax_networks, jax_step, timing
from experiments.benchmarks.timing import Program, Sizes, Spread
from gumbel_gan import model as model_lib
from gumbel_gan import training

_NUM_ROUNDS = flags.DEFINE_integer(
    "num_rounds", 9, "Number of rounds; every program has one turn per round.", lower_bound=1
)
_SECONDS = flags.DEFINE_float("seconds", 1.0, "Approximate duration of one turn.", lower_bound=0.01)
_OUTPUT = flags.DEFINE_string("output", None, "File for all figures, as JSON.")

WIDE = Sizes(batch_size=200, length=12, num_symbols=768, hidden_size=64)
LIKELIHOOD = Sizes(batch_size=64, length=20, num_symbols=7_500, hidden_size=128)
ONE_PASS = Sizes(batch_size=64, length=32, num_symbols=48, hidden_size=64)


def without_look_ups(generator: gg.Generator) -> gg.Generator:
    """Returns a generator that is teacher-forced by a scan of steps on one-hot symbols."""
    return generator._replace(token_step=None, logits=None, hidden_states=None)


def likelihood(generator: gg.Generator, sizes: Sizes) -> Program:
    """Builds a program of maximum-likelihood steps on random sequences."""
    algorithm = gg.maximum_likelihood(gg.sequence_model(generator, length=sizes.length), optimizer=optax.adam(1e-3))
    data = jax.random.randint(jax.random.key(0), (1_000, sizes.length), 0, sizes.num_symbols)
    train = jax.jit(
        functools.partial(training.train, algorithm, batch_size=sizes.batch_size, num_steps=1), donate_argnums=1
    )
    key, state = jax.random.key(1), algorithm.init(jax.random.key(2))

    def run() -> None:
        nonlocal state
        state, _ = train(key, state, data)
        jax.block_until_ready(state)

    return Program(run, 1)


def likelihood_gradient(generator: gg.Generator, sizes: Sizes) -> Program:
    """Builds a program that computes the gradient of a batch's log-likelihood."""
    model = gg.sequence_model(generator, length=sizes.length)
    params = model.init(jax.random.key(0))
    tokens = jax.random.randint(jax.random.key(1), (sizes.batch_size, sizes.length), 0, sizes.num_symbols)
    gradient = jax.jit(jax.grad(lambda params: jnp.mean(model_lib.token_log_probs(model, params, tokens, {}))))
    return Program(lambda: jax.block_until_ready(gradient(params)), 1)


def main() -> None:
    """Runs the benchmark as set by the flags."""
    devices.select("", num_devices=1)
    screen = cli.screen()
    lstm = gg.lstm_generator(LIKELIHOOD.num_symbols, LIKELIHOOD.hidden_size)
    transformer = gg.transformer_generator(ONE_PASS.num_symbols, ONE_PASS.hidden_size)
    groups: dict[str, tuple[Sizes, dict[str, Program]]] = {
        "relaxed step": (
            WIDE,
            {
                "ours": jax_step.scanned(WIDE).program,
                "Flax's cell": jax_step.scanned(WIDE, networks=flax_networks.make).program,
            },
        ),
        "likelihood step": (
            LIKELIHOOD,
            {
                "ours": likelihood(lstm, LIKELIHOOD),
                "a scan of one-hot symbols": likelihood(without_look_ups(lstm), LIKELIHOOD),
            },
        ),
        "transformer's likelihood gradient": (
            ONE_PASS,
            {
                "ours": likelihood_gradient(transformer, ONE_PASS),
                "a scan of cached steps": likelihood_gradient(without_look_ups(transformer), ONE_PASS),
            },
        ),
    }
    figures: dict[str, Any] = {"machine": timing.machine(), "groups": {}}
    table = timing.table("other / ours, round by round", "", "median", "least–greatest")
    for name, (sizes, programs) in groups.items():
        described = ", ".join(f"{key.replace('_', ' ')} {value:,}" for key, value in sizes._asdict().items())
        screen.print(f"{name} ({described}) ...", highlight=False)
        taken = timing.take_turns(programs, num_rounds=_NUM_ROUNDS.value, seconds=_SECONDS.value, report=lambda _: None)
        ours = taken.pop("ours")
        ratios = {other: Spread.of(values / ours) for other, values in taken.items()}
        figures["groups"][name] = {
            "sizes": sizes._asdict(),
            "milliseconds": Spread.of(1e3 * ours)._asdict(),
            "ratios": {other: ratio._asdict() for other, ratio in ratios.items()},
        }
        for other, ratio in ratios.items():
            table.add_row(f"{name}: {other} / ours", f"{ratio.median:.2f}", f"{ratio.least:.2f}–{ratio.greatest:.2f}")
    screen.print(table)
    timing.write(_OUTPUT.value, figures)


if __name__ == "__main__":
    cli.run(main)

r"""Professor Forcing and its baselines; a method may follow a colon, and a task a comma.

python -m experiments.train --workdir=runs/professor --config=experiments/configs/professor_forcing.py:professor,digits
python -m experiments.train --workdir=runs/characters \
    --config=experiments/configs/professor_forcing.py:professor,characters --config.task.files=input.txt
python -m experiments.study lamb2016 --workdir=runs/professor_study --files=input.txt
python -m experiments.study professor_forcing_terms --workdir=runs/professor_terms

The third command trains the methods up to `weak` and tests the paper's claims; the last compares the paper's two terms,
separately and together, on digits.

Eight seeds on digits take seven minutes and four on characters nine, on one of two cores (AMD EPYC, 2026-11-23, while
other work ran); maximum likelihood takes one and two minutes. Median (worst) on the test split: digits 19.7 (20.9)
nats per picture, likelihood 18.4 (18.7); Tiny Shakespeare 2.94 (2.97) bits per character, likelihood 2.84 (2.86).
"""

from types import MappingProxyType
from typing import Any

from ml_collections import ConfigDict

from experiments.config.choices import options
from experiments.configs import digits, names_mle

METHODS = MappingProxyType(
    {
        "likelihood": "maximum likelihood by teacher forcing",
        "longer": "the same, for as much time as Professor Forcing takes",
        "scheduled": "scheduled sampling, up to a quarter of the symbols",
        "professor": "Professor Forcing, with the paper's weight of 1",
        "weak": "Professor Forcing, with the weight of 0.1 that validation chose",
        "second": "Professor Forcing's second term alone, through the teacher-forced behavior",
        "both": "Professor Forcing's two terms together",
        "states": "the two terms, hidden states alone",
        "outputs": "the two terms, softmax outputs alone",
        "ungated": "the two terms, without gates",
    }
)
TASKS = ("digits", "characters", "words")

# Weights of the two terms of Professor Forcing, through the free-running and the teacher-forced behavior.
_BOTH = ("constant(1.0)", "constant(1.0)")
_WEIGHTS = MappingProxyType(
    {
        "professor": ("constant(1.0)", "none"),
        "weak": ("constant(0.1)", "none"),
        "second": ("constant(0.0)", "constant(1.0)"),
        **dict.fromkeys(("both", "states", "outputs", "ungated"), _BOTH),
    }
)

# Training steps of every method but 'longer'.
NUM_STEPS = 2_000

# Steps of maximum likelihood that take as long as one step of Professor Forcing.
_STEPS_IN_A_STEP = {"characters": 5, "words": 5, "digits": 8}


def get_config(variant: str = "professor,digits") -> ConfigDict:
    """Returns a method's recipe on a task.

    Args:
      variant: one of `METHODS` and, after a comma, one of `TASKS`: 'digits', handwritten digits pixel by pixel (the
        default), or 'characters' or 'words' of a text, in windows of 32 or 16; `task.files` must then be set.

    Raises:
      ValueError: the method is not one of `METHODS`, or the task is not one of `TASKS`.
    """
    method, task = options(variant, method=tuple(METHODS), task=TASKS)
    config = _digits() if task == "digits" else _text(task)
    config.num_steps = NUM_STEPS
    likelihood = {
        "name": "maximum_likelihood",
        "sampling_rate": "linear(1e-3, 0.25)" if method == "scheduled" else "none",
        "ema_decay": 0.998,
        "num_latent_draws": 256,
        "generator": {"name": "gru", "hidden_size": 64 if task == "digits" else 128, "latent": "none"},
        "optimizer": _adam(b1=0.9, max_norm=100.0),
    }
    if method == "longer":
        config.num_steps *= _STEPS_IN_A_STEP[task]
        config.steps_per_chunk *= _STEPS_IN_A_STEP[task]
    professor = method in _WEIGHTS
    config.algorithm = ConfigDict(_professor(likelihood, method) if professor else likelihood)
    if professor and task == "words":
        # With so many probabilities, a discriminator with a higher learning rate fails.
        config.algorithm.discriminator_optimizer.learning_rate = "cosine(1e-3, 5e-5)"
    return config


def _digits() -> ConfigDict:
    config = digits.get_config()
    config.num_seeds = 8
    config.batch_size = 32
    config.num_states = 180
    return config


def _text(unit: str) -> ConfigDict:
    config = names_mle.get_config()
    words = unit == "words"
    config.num_seeds = 4
    config.batch_size = 32 if words else 64
    config.num_samples = 1_000
    config.num_compared = 1_000
    config.temperatures = ()
    config.num_states = 500
    config.long_length = 64 if words else 128
    config.task = ConfigDict(
        {
            "name": "text",
            "files": "",  # paths, separated by commas
            "digest": "",  # of the files, recorded when a run begins
            "encoding": "utf-8",
            "normalize": "NFC",
            "unit": unit,
            "max_length": 0,
            "too_long": "drop",
            "window": 16 if words else 32,
            "lowercase": words,
            "min_count": 50 if words else 1,  # rarer words become <unk>
            "max_symbols": 5_000,
            "deduplicate": True,
            "num_heldout": 1_500,
            "seed": 0,
        }
    )
    return config


def _professor(likelihood: dict[str, Any], method: str) -> dict[str, Any]:
    first, second = _WEIGHTS[method]
    kept = ("ema_decay", "num_latent_draws", "generator")
    return {
        "name": "professor_forcing",
        "free_running_weight": first,
        "teacher_forced_weight": second,  # of the paper's second term, through the teacher-forced behavior
        # Accuracies of the discriminator: above the first it trains the generator, below the second it is trained.
        "generator_threshold": "none" if method == "ungated" else 0.75,
        "discriminator_threshold": "none" if method == "ungated" else 0.99,
        "behavior": method if method in ("states", "outputs") else "states_and_outputs",
        "discriminator": {"name": "behavior", "hidden_size": 64, "num_layers": 3},
        "generator_optimizer": likelihood["optimizer"],
        "discriminator_optimizer": _adam(b1=0.5, max_norm=5.0) | {"learning_rate": "cosine(5e-3, 2.5e-4)"},
        **{name: likelihood[name] for name in kept},
    }


def _adam(*, b1: float, max_norm: float) -> dict[str, Any]:
    return {
        "name": "adam",
        "learning_rate": "cosine(2e-3, 1e-4)",
        "b1": b1,
        "b2": 0.999,
        "max_norm": max_norm,  # of a gradient
    }

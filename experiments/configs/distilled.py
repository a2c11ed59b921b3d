"""TextKD-GAN and its baselines: a generator that is to be like an autoencoder's softmax outputs.

python -m experiments.train --workdir=runs/distilled --config=experiments/configs/distilled.py
python -m experiments.train --workdir=runs/distilled_names --config=experiments/configs/distilled.py:names
python -m experiments.train --workdir=runs/distilled_soft --config=experiments/configs/distilled.py:arithmetic,recurrent
python -m experiments.study distilled --workdir=runs/distilled_study --files=input.txt

The last command trains the methods on all data.

Eight seeds on the arithmetic grammar, in 29 minutes on one core of an AMD EPYC while other work ran, 2026-11-27; median
(worst): validity 0.705 (0.394), total variation 0.578 (0.810). Validity rises while the reconstructions are smooth, up
to step 750. In 3,000 steps, at 0.04 nats a reconstructed symbol, seed 0 fell to validity 0.328 (2026-11-26). With
the recurrent generator, 1,000 steps in 35 minutes: 0.129 (0.093), 0.871 (0.907). Names take 30 minutes.
"""

from types import MappingProxyType

from ml_collections import ConfigDict

from experiments.config.choices import options
from experiments.configs import arithmetic, names, one_pass, paper, text

TASKS = ("arithmetic", "names", "text")
METHODS = MappingProxyType(
    {
        "one_pass": "TextKD-GAN: a one-pass generator, against an autoencoder's softmax outputs",
        "recurrent": "TextKD-GAN with the generator of paper.py:a, at its temperatures from 5 to 1",
        "soft": "paper.py:a: soft samples against one-hot data",
        "hard": "one_pass.py:gan: one-hot samples in one pass against one-hot data",
    }
)

# A step of TextKD-GAN takes five batches, a step of the baselines one. 'soft' has as many batches as 'one_pass', in
# less time; 'hard' has a fifth of the batches, in about as much time.
NUM_STEPS = MappingProxyType({"one_pass": 1_500, "recurrent": 1_000, "soft": 7_500, "hard": 1_500})


def get_config(variant: str = "arithmetic,one_pass") -> ConfigDict:
    """Returns the recipe for a task and a method.

    Args:
      variant: one of `TASKS`, and, after a comma, one of `METHODS`, by default 'one_pass'. 'text' is cut into windows
        of 32 characters, as in the paper; `task.files` must then be set.

    Raises:
      ValueError: the task is not one of `TASKS`, or the method is not one of `METHODS`.
    """
    task, method = options(variant, task=TASKS, method=tuple(METHODS))
    config = _of_task(task)
    config.num_shards = 1
    config.batch_size = 64
    config.num_steps = NUM_STEPS[method]
    config.steps_per_chunk = 250 if method == "soft" else 50
    config.chunks_per_checkpoint = 4
    if method == "soft":
        config.algorithm = paper.get_config("a").algorithm
        config.algorithm.num_generated = config.batch_size
        return config
    if method == "hard":
        config.algorithm = one_pass.get_config("gan" if task == "arithmetic" else "gan,names").algorithm
        return config
    config.algorithm = ConfigDict(
        {
            "name": "distilled_gan",
            "objective": "wasserstein",
            "reconstruction": "squared_error",  # the autoencoder's loss: 'squared_error' | 'cross_entropy'
            "penalty": {
                "real_weight": "none",
                "generated_weight": "none",
                "interpolated_weight": "constant(10.0)",
                "fraction": 1.0,
            },
            "discriminator_updates": 5,  # per step, each on its own batch
            "ema_decay": 0.998,
            "num_latent_draws": 1_024,
            "generator": {
                "name": "convolutional_one_pass",
                "width": 64,
                "num_blocks": 3,
                "kernel_size": 5,
                "latent_size": 64,
            },
            "discriminator": {"name": "convolutional", "width": 32, "num_blocks": 2, "kernel_size": 5},
            "encoder": {"name": "lstm", "hidden_size": 32},
            "decoder": {"name": "lstm", "hidden_size": 32, "latent": "hidden"},
            "generator_optimizer": _adam("cosine(5e-4, 2.5e-5)", b1=0.5),  # the paper's rates: 1e-4
            "discriminator_optimizer": _adam("cosine(5e-4, 2.5e-5)", b1=0.5),
            "autoencoder_optimizer": _adam("constant(1e-3)", b1=0.9),
        }
    )
    if method == "recurrent":
        recurrent = paper.get_config("a").algorithm
        config.algorithm.generator = recurrent.generator
        config.algorithm.update({"estimator": recurrent.estimator, "temperature": recurrent.temperature})
    return config


def _of_task(task: str) -> ConfigDict:
    """Returns a config with the data and measurements of one of `TASKS`."""
    if task == "arithmetic":
        return arithmetic.get_config("wide")
    if task == "names":
        return names.get_config()
    config = text.get_config()
    config.task.window = 32
    return config


def _adam(learning_rate: str, *, b1: float) -> dict[str, object]:
    return {"name": "adam", "learning_rate": learning_rate, "b1": b1, "b2": 0.9}

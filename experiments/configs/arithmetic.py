"""The main job: the relaxed GAN from scratch on the paper's arithmetic grammar, with half a score-function gradient.

python -m experiments.train --workdir=runs/arithmetic

One seed takes 90 s on two CPU cores (AMD EPYC, 2026-11-26). Median (worst) of seeds 0 to 7: validity
0.9987 (0.9974), KL(data || model) 0.0043 (0.0089) nats, total variation 0.0313 (0.0412). Settings were
chosen by the studies search and draws. arithmetic.py:wide takes 26 s: 0.998 (0.997), 0.010 (0.022), 0.048 (0.064); and
with --config.task.length_distribution=grammar, where the narrow generator loses seeds, 0.998 (0.998), 0.004 (0.005),
0.013 (0.015).
"""

from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder

from gumbel_gan.arguments import require_one_of

RECIPES = ("narrow", "wide")


def get_config(recipe: str = "narrow") -> ConfigDict:
    """Returns a recipe for the arithmetic grammar.

    Args:
      recipe: 'narrow', the best found, with an LSTM 8 as generator; or 'wide', with an LSTM 32 and half the steps.

    Raises:
      ValueError: it is another.
    """
    require_one_of(RECIPES, recipe=recipe)
    config = _wide()
    if recipe == "wide":
        return config
    config.num_steps = 6_000
    config.algorithm.ema_decay = 0.9995
    config.algorithm.generator.hidden_size = 8
    config.algorithm.generator_optimizer.update({"learning_rate": "cosine(3e-3, 1.5e-4)", "b2": 0.99})
    config.algorithm.discriminator_optimizer.update({"learning_rate": "cosine(6e-3, 3e-4)", "b2": 0.99})
    return config


def _wide() -> ConfigDict:
    network = {"name": "lstm", "hidden_size": 32}
    # The norm that gradients are scaled down to, and how many in a row are skipped if they are not finite.
    guards = {"max_norm": "none", "max_skipped": placeholder(int)}
    return ConfigDict(
        {
            "platform": "",  # '' | 'cpu' | 'gpu' | 'tpu'
            "dtype": "float32",  # of the computation: 'float32' | 'bfloat16'
            "seed": 0,  # the first seed
            "num_seeds": 1,  # trained together, in one program
            "num_steps": 3_000,
            "steps_per_chunk": 50,  # in one compiled scan, between two progress lines
            "chunks_per_checkpoint": 20,
            "seconds_per_checkpoint": 300,  # after which a chunk ends with a checkpoint in any case
            "best_metric": "",  # its best state is kept too; '' for validation_nll where measured, 'none' for none
            "patience": 0,  # steps without a better one after which training ends; 0 for never
            "summarized": "last",  # the states that the summary is of: 'last' | 'best'
            "init_from": "",  # folder of a run whose networks training starts from
            "batch_size": 128,
            "num_shards": 2,  # of a batch, on a device each where there are enough; results depend on their number
            "num_samples": 10_000,  # drawn at the end, a seed
            "num_compared": 0,  # of them, compared with held-out strings; 0 for none
            "heldout": "test",  # the split they are compared with: 'test', or 'validation' to choose settings by
            "temperatures": (),  # of the curve of quality against diversity
            "long_length": 0,  # symbols of longer samples than those trained on, compared part by part; 0 for none
            "num_states": 0,  # sequences whose hidden states are compared, read and generated; 0 for none
            "sweep": placeholder(object),  # such as {"algorithm.temperature": [0.5, 1.0]}; None for none
            "task": {
                "name": "grammar",
                "grammar": "arithmetic",  # a name, a file, or the productions
                "max_length": 12,
                "length_distribution": "uniform",  # 'uniform' | 'grammar'
                "num_train": 5_000,
                "num_heldout": 1_000,
                "padding": " ",
                "support_limit": 100_000,
                "seed": 0,
            },
            "algorithm": {
                "name": "relaxed_gan",
                "objective": "log_odds",
                "estimator": "straight_through",
                "temperature": "constant(1.0)",
                "feedback": {"temperature": "none", "gradient": True},  # of the symbols that are fed back
                "score_weight": 0.5,  # of the score-function estimate in the generator's gradient
                "num_generated": placeholder(int),  # generated sequences a step; None for batch_size
                "instance_noise": "none",
                "penalty": {  # R1, R2, and that of Wasserstein critics, between real and generated sequences
                    "real_weight": "constant(3.0)",
                    "generated_weight": "constant(3.0)",
                    "interpolated_weight": "none",
                    "fraction": 0.25,  # of the sequences of a step
                },
                "discriminator_updates": 1,  # a step, each on a batch of its own
                "ema_decay": 0.998,
                "discriminator_ema_decay": "none",  # of the discriminator that the generator is trained against
                "num_latent_draws": 256,
                "generator": network | {"latent": "none"},
                "discriminator": network | {"pooling": "last_and_mean", "bidirectional": True},
                "generator_optimizer": {"name": "adam", "learning_rate": "cosine(2e-3, 1e-4)", "b1": 0.0, "b2": 0.9}
                | guards,
                "discriminator_optimizer": {
                    "name": "adam",
                    "learning_rate": "cosine(4e-3, 2e-4)",
                    "b1": 0.0,
                    "b2": 0.9,
                }
                | guards,
            },
        }
    )

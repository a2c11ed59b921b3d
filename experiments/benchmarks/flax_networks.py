"""The paper's networks with Flax's own LSTM cell in place of the library's."""

import flax.linen as nn

import gumbel_gan as gg
from experiments.benchmarks.timing import Sizes


def make(sizes: Sizes) -> tuple[gg.Generator, gg.Discriminator]:
    """Builds the paper's networks with Flax's `OptimizedLSTMCell`."""
    cell = nn.OptimizedLSTMCell
    return (
        gg.recurrent_generator(sizes.num_symbols, sizes.hidden_size, cell=cell, latent="hidden_and_cell"),
        gg.recurrent_discriminator(sizes.num_symbols, sizes.hidden_size, cell=cell, pooling="last"),
    )

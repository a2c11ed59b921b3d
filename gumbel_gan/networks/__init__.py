"""Recurrent, attention and convolutional networks: the only package that imports Flax."""

from gumbel_gan.networks.cells import GRUCell, LSTMCell
from gumbel_gan.networks.conditions import Labels, Sequences, Vectors
from gumbel_gan.networks.convolutional import convolutional_discriminator, multi_representation_discriminator
from gumbel_gan.networks.encoder import recurrent_encoder
from gumbel_gan.networks.independent import independent_generator
from gumbel_gan.networks.initial_states import LATENTS
from gumbel_gan.networks.interface import Carry, Discriminator, Encoder, Generator, Params, PrefixDiscriminator
from gumbel_gan.networks.masks import force_symbol, mask_symbol
from gumbel_gan.networks.one_pass_generator import convolutional_one_pass_generator, one_pass_generator
from gumbel_gan.networks.recurrent_discriminator import (
    POOLINGS,
    behavior_discriminator,
    gru_discriminator,
    gru_prefix_discriminator,
    lstm_discriminator,
    lstm_prefix_discriminator,
    recurrent_discriminator,
    recurrent_prefix_discriminator,
)
from gumbel_gan.networks.recurrent_generator import (
    gru_generator,
    lstm_generator,
    lstm_generator_params,
    recurrent_generator,
)
from gumbel_gan.networks.settings import from_settings, settings_of
from gumbel_gan.networks.transformer_discriminator import transformer_discriminator, transformer_prefix_discriminator
from gumbel_gan.networks.transformer_generator import transformer_generator

__all__ = [
    "LATENTS",
    "POOLINGS",
    "Carry",
    "Discriminator",
    "Encoder",
    "GRUCell",
    "Generator",
    "LSTMCell",
    "Labels",
    "Params",
    "PrefixDiscriminator",
    "Sequences",
    "Vectors",
    "behavior_discriminator",
    "convolutional_discriminator",
    "convolutional_one_pass_generator",
    "force_symbol",
    "from_settings",
    "gru_discriminator",
    "gru_generator",
    "gru_prefix_discriminator",
    "independent_generator",
    "lstm_discriminator",
    "lstm_generator",
    "lstm_generator_params",
    "lstm_prefix_discriminator",
    "mask_symbol",
    "multi_representation_discriminator",
    "one_pass_generator",
    "recurrent_discriminator",
    "recurrent_encoder",
    "recurrent_generator",
    "recurrent_prefix_discriminator",
    "settings_of",
    "transformer_discriminator",
    "transformer_generator",
    "transformer_prefix_discriminator",
]

"""ChemNet, the network whose activations the Fréchet ChemNet distance compares, in JAX."""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gumbel_gan.metrics.molecules.torch_files import load_torch_file
from gumbel_gan.package_files import package_file

INSTALL = "pip install --no-deps fcd-torch==1.0.7"
"""The command that installs ChemNet's weights without PyTorch."""

NUM_FEATURES = 512
LENGTH = 350

_SYMBOLS = (
    *("C", "N", "O", "H", "F", "Cl", "P", "B", "Br", "S", "I", "Si", "#", "(", ")", "+", "-"),
    *("1", "2", "3", "4", "5", "6", "7", "8", "=", "[", "]", "@", "c", "n", "o", "s", "X", "."),
)
_TOKEN_OF = {symbol: token for token, symbol in enumerate(_SYMBOLS)}
_UNKNOWN, _END = _TOKEN_OF["X"], _TOKEN_OF["."]
_PADDING = len(_SYMBOLS)
# A letter followed by one of these is a two-letter symbol: Br, Si, Cl.
_SECOND_LETTERS = frozenset("ril")
_AT_ONCE = 256
_STRIDE = 2


class ChemNetParams(NamedTuple):
    """The weights of ChemNet: two convolutions and two LSTMs.

    Attributes:
      kernels: kernels of the convolutions, `[width, features in, features out]`; the convolutions have no biases.
      input_kernels: input kernels of the LSTMs, `[features in, 4 H]`; the gates are input, forget, cell and output.
      state_kernels: recurrent kernels of the LSTMs, `[H, 4 H]`.
      biases: biases of the LSTMs, `[4 H]`.
    """

    kernels: tuple[jax.Array, ...]
    input_kernels: tuple[jax.Array, ...]
    state_kernels: tuple[jax.Array, ...]
    biases: tuple[jax.Array, ...]


@functools.lru_cache
def load_chemnet() -> ChemNetParams:
    """Reads ChemNet's weights from the package `fcd-torch`, without PyTorch.

    Raises:
      ImportError: the package is not installed.
      ValueError: the file of the package holds another network.
    """
    name = "fcd_torch/ChemNet_v0.13_pretrained.pt"
    path = package_file("fcd-torch", name, content="ChemNet's weights are", install=INSTALL)
    layers = load_torch_file(path)
    kinds = [kind for kind, _ in layers]
    if kinds != ["Conv1d", "Conv1d", "LSTM", "LSTM"]:
        raise ValueError(f"fcd-torch must hold two convolutions and two LSTMs, got {', '.join(kinds)}")
    weights = [config[0] for _, config in layers]
    convolutions, lstms = weights[:2], weights[2:]
    return ChemNetParams(
        tuple(jnp.asarray(each["weight"].transpose(2, 1, 0)) for each in convolutions),
        tuple(jnp.asarray(each["weight_ih_l0"].T) for each in lstms),
        tuple(jnp.asarray(each["weight_hh_l0"].T) for each in lstms),
        tuple(jnp.asarray(each["bias_ih_l0"] + each["bias_hh_l0"]) for each in lstms),
    )


def chemnet_tokens(smiles: str) -> np.ndarray:
    """Returns ChemNet's tokens of a canonical SMILES, `[350]` integers.

    As in fcd-torch, only the first part of a molecule with several parts is read, and only its first 349 symbols. An
    end token follows, and then padding.

    >>> chemnet_tokens("CCl")[:4].tolist()
    [0, 5, 34, 35]
    """
    tokens = np.full(LENGTH, _PADDING, np.int32)
    place = number = 0
    smiles = smiles.partition(".")[0]
    while place < len(smiles) and number < LENGTH - 1:
        width = 2 if smiles[place + 1 : place + 2] in _SECOND_LETTERS else 1
        tokens[number] = _TOKEN_OF.get(smiles[place : place + width], _UNKNOWN)
        place, number = place + width, number + 1
    tokens[number] = _END
    return tokens


def chemnet_activations(smiles: Sequence[str], params: ChemNetParams | None = None) -> np.ndarray:
    """Computes the activations of ChemNet's penultimate layer.

    Args:
      smiles: N canonical SMILES.
      params: the weights; None loads the weights of `fcd-torch`.

    Returns:
      `[N, 512]` float32.

    Raises:
      ImportError: `params` is None, and `fcd-torch` is not installed.
    """
    params = load_chemnet() if params is None else params
    tokens_NT = np.stack([chemnet_tokens(each) for each in smiles]) if smiles else np.zeros((0, LENGTH), np.int32)
    num, rows = len(tokens_NT), min(_AT_ONCE, len(tokens_NT))
    found = []
    for start in range(0, num, rows or 1):
        block = tokens_NT[start : start + rows]
        # All blocks have the same size, so that the network is compiled once.
        block = np.concatenate([block, np.full((rows - len(block), LENGTH), _PADDING, np.int32)])
        found.append(np.asarray(_forward(params, block)))
    return np.concatenate(found)[:num] if found else np.zeros((0, NUM_FEATURES), np.float32)


@jax.jit
def _forward(params: ChemNetParams, tokens_BT: jax.Array) -> jax.Array:
    # The weights expect one-hot vectors divided by the number of symbols.
    x_BTF = jax.nn.one_hot(tokens_BT, len(_SYMBOLS)) / len(_SYMBOLS)
    for kernel in params.kernels:
        x_BTF = jax.nn.selu(_convolve(x_BTF, kernel))
    x_TBF = jnp.swapaxes(x_BTF, 0, 1)
    for weights in zip(params.input_kernels, params.state_kernels, params.biases, strict=True):
        # Each LSTM reads the output of the layer before it in reverse order.
        x_TBF = _lstm(x_TBF[::-1], *weights)
    return x_TBF[-1]


def _convolve(x_BTF: jax.Array, kernel: jax.Array) -> jax.Array:
    """Convolves with a stride of 2 and the padding of fcd-torch, which differs from the padding of Keras."""
    width, length = kernel.shape[0], x_BTF.shape[1]
    total = max(width - (length % _STRIDE or _STRIDE), 0)
    return jax.lax.conv_general_dilated(
        x_BTF,
        kernel,
        window_strides=(_STRIDE,),
        padding=[(total // _STRIDE, total - total // _STRIDE)],
        dimension_numbers=("NWC", "WIO", "NWC"),
    )


def _lstm(x_TBF: jax.Array, input_kernel: jax.Array, state_kernel: jax.Array, bias: jax.Array) -> jax.Array:
    def step(carry: tuple[jax.Array, jax.Array], x_BF: jax.Array) -> tuple[tuple[jax.Array, jax.Array], jax.Array]:
        c, h = carry
        i, f, g, o = jnp.split(x_BF @ input_kernel + h @ state_kernel + bias[None, :], 4, axis=1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (c, h), h

    start = jnp.zeros((x_TBF.shape[1], state_kernel.shape[0]), x_TBF.dtype)
    return jax.lax.scan(step, (start, start), x_TBF)[1]

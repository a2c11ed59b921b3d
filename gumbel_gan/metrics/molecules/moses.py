"""The metrics of the benchmark MOSES (Polykovskiy et al. 2020) for a set of strings."""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from gumbel_gan.arguments import as_strings
from gumbel_gan.metrics.molecules.features import Features, features, filtered_features
from gumbel_gan.metrics.molecules.fingerprints import internal_diversity, nearest_similarity
from gumbel_gan.metrics.molecules.frechet import frechet_distance
from gumbel_gan.metrics.molecules.properties import PROPERTIES
from gumbel_gan.metrics.molecules.references import References, describe
from gumbel_gan.metrics.molecules.substructures import count_similarity
from gumbel_gan.metrics.molecules.workers import map_strings

_FIRST = (1_000, 10_000)


class MoleculeMetric(NamedTuple):
    """The description of a metric of molecules.

    Attributes:
      label: short name, for tables.
      better: 'higher', 'lower', or 'as data' if the best value is that of the data.
      meaning: a sentence that states what is measured.
    """

    label: str
    better: str
    meaning: str


OF_SAMPLES: Mapping[str, MoleculeMetric] = MappingProxyType(
    {
        "valid": MoleculeMetric("valid", "higher", "Share of the strings that RDKit parses and sanitizes."),
        "unique@1000": MoleculeMetric(
            "unique@1k", "as data", "Share of distinct molecules among the first 1,000 valid ones."
        ),
        "unique@10000": MoleculeMetric(
            "unique@10k", "as data", "Share of distinct molecules among the first 10,000 valid ones."
        ),
        "novelty": MoleculeMetric(
            "novelty", "as data", "Share of the distinct valid molecules that are not training molecules."
        ),
        "internal_diversity_1": MoleculeMetric(
            "internal diversity 1",
            "as data",
            "1 - the mean similarity of two molecules (Morgan fingerprints, Tanimoto).",
        ),
        "internal_diversity_2": MoleculeMetric(
            "internal diversity 2", "as data", "The same with a mean over the squares of similarities, then the root."
        ),
        "filters": MoleculeMetric(
            "filters", "as data", "Share of the valid molecules that pass the filters the data was chosen by."
        ),
    }
)
"""Metrics of samples alone, and of their comparison with the training molecules."""

AGAINST_REFERENCES: Mapping[str, MoleculeMetric] = MappingProxyType(
    {
        "fcd": MoleculeMetric(
            "FCD", "lower", "Fréchet distance between normal distributions of ChemNet's activations."
        ),
        "snn": MoleculeMetric("SNN", "as data", "Mean similarity of a molecule to the nearest reference."),
        "fragments": MoleculeMetric("fragment similarity", "higher", "Cosine between the counts of BRICS fragments."),
        "scaffolds": MoleculeMetric("scaffold similarity", "higher", "Cosine between the counts of Murcko scaffolds."),
        **{
            name: MoleculeMetric(name, "lower", f"Wasserstein-1 distance between the distributions of {name}.")
            for name in PROPERTIES
        },
    }
)
"""Metrics against a set of references, whose names in results end in '/' and the name of the set."""


def moses_metrics(
    smiles: Sequence[str],
    *,
    references: Mapping[str, References] = MappingProxyType({}),
    train: Collection[str] | None = None,
    with_filters: bool = True,
    num_workers: int = 1,
) -> dict[str, float]:
    """Computes the metrics of MOSES.

    All metrics except 'valid' are computed from the valid strings, including repeats, unless `OF_SAMPLES` states
    otherwise. Any number of strings can be evaluated.

    Args:
      smiles: N strings to evaluate, N at least 1.
      references: reference sets, by name; MOSES has 'test' and 'test_scaffolds', which `moses_references` reads.
      train: canonical SMILES of the training molecules; None leaves 'novelty' out.
      with_filters: whether to compute 'filters', which needs the package `molsets`.
      num_workers: number of processes, as in `map_strings`.

    Returns:
      The metrics of `OF_SAMPLES` by name, and those of `AGAINST_REFERENCES` by name and set, such as 'fcd/test'. If
      fewer than two strings are valid, only 'valid' is returned. If the references have no activations, 'fcd' is
      omitted.

    Raises:
      ImportError: RDKit is not installed; or `molsets` or `fcd-torch` is not installed, and a requested metric needs
        it.
      TypeError: `smiles` is a single string or holds an element that is not a string, or `train` is a single string.
      ValueError: there are no strings.

    References:
      Polykovskiy et al. 2020, https://arxiv.org/abs/1811.12823; FCD: Preuer et al. 2018,
      https://arxiv.org/abs/1803.09518.
    """
    smiles = as_strings(smiles=smiles)
    if isinstance(train, str):
        raise TypeError(f"train must be a collection of strings, got {train!r:.80}")
    if not smiles:
        raise ValueError("smiles must hold at least one string, got none")
    function = filtered_features if with_filters else features
    found = map_strings(function, smiles, num_workers=num_workers)
    valid = [each for each in found if each is not None]
    metrics = {"valid": len(valid) / len(smiles)}
    if len(valid) < 2:
        return metrics
    with_activations = any(each.activations is not None for each in references.values())
    described = describe(valid, with_activations=with_activations)
    metrics |= _of_samples(valid, described, train)
    if with_filters:
        metrics["filters"] = sum(bool(each.passes) for each in valid) / len(valid)
    for name, others in references.items():
        metrics |= {f"{metric}/{name}": value for metric, value in _against(described, others).items()}
    return metrics


def _of_samples(valid: Sequence[Features], described: References, train: Collection[str] | None) -> dict[str, float]:
    names = [each.smiles for each in valid]
    metrics = {f"unique@{first}": len(set(names[:first])) / len(names[:first]) for first in _FIRST}
    if train is not None:
        metrics["novelty"] = len(set(names).difference(train)) / len(set(names))
    for power in (1, 2):
        metrics[f"internal_diversity_{power}"] = internal_diversity(described.fingerprints, power)
    return metrics


def _against(described: References, others: References) -> dict[str, float]:
    # Imported here because the import takes a second.
    from scipy.stats import wasserstein_distance

    metrics = {}
    if described.activations is not None and others.activations is not None:
        metrics["fcd"] = frechet_distance(*described.activations, *others.activations)
    metrics["snn"] = nearest_similarity(described.fingerprints, others.fingerprints)
    metrics["fragments"] = count_similarity(described.fragments, others.fragments)
    metrics["scaffolds"] = count_similarity(described.scaffolds, others.scaffolds)
    for name in PROPERTIES:
        metrics[name] = float(wasserstein_distance(described.properties[name], others.properties[name]))
    return metrics

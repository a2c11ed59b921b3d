"""Metrics of molecules as the benchmark MOSES defines them, without PyTorch. RDKit is imported only when needed."""

from gumbel_gan.metrics.molecules.chemnet import chemnet_activations, load_chemnet
from gumbel_gan.metrics.molecules.drawing import draw
from gumbel_gan.metrics.molecules.frechet import frechet_distance
from gumbel_gan.metrics.molecules.moses import AGAINST_REFERENCES, OF_SAMPLES, MoleculeMetric, moses_metrics
from gumbel_gan.metrics.molecules.moses_files import moses_file, moses_smiles
from gumbel_gan.metrics.molecules.objectives import penalized_log_p, qed
from gumbel_gan.metrics.molecules.parsing import canonical, is_valid, parse, why_invalid
from gumbel_gan.metrics.molecules.references import References, moses_references, references_of

__all__ = [
    "AGAINST_REFERENCES",
    "OF_SAMPLES",
    "MoleculeMetric",
    "References",
    "canonical",
    "chemnet_activations",
    "draw",
    "frechet_distance",
    "is_valid",
    "load_chemnet",
    "moses_file",
    "moses_metrics",
    "moses_references",
    "moses_smiles",
    "parse",
    "penalized_log_p",
    "qed",
    "references_of",
    "why_invalid",
]

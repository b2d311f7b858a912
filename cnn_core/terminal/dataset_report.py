"""The command ``dataset``: what is in a dataset, as JSON and as text, and corrections of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnn_core.data_files import corrections
from cnn_core.data_files.download import MICROSOFT, download, target_of
from cnn_core.data_files.summary import Summary, summary
from cnn_core.dataset import LABELS, DatasetError, open_dataset
from cnn_core.source import Source
from cnn_core.storage.files import expanded
from cnn_core.terminal import progress
from cnn_core.wording import data_size, percent

if TYPE_CHECKING:
    import argparse


@dataclass(frozen=True)
class Found:
    """A dataset, and what is in it.

    Attributes
    ----------
    data : str
        Its path.
    folder : str
        The folder of its images.
    summary : Summary
    """

    data: str
    folder: str
    summary: Summary


def look(options: argparse.Namespace) -> Found:
    """Do what the command line asks for: download, correct, then look at every photo.

    Raises
    ------
    CnnLabError
        When one of these fails.
    """
    if options.download:
        if options.data is not None:
            raise DatasetError("--download always uses the same folder. Leave out the path, or leave out --download.")
        options.data = str(download(MICROSOFT, target_of(MICROSOFT), progress.show_bytes))
    if options.data is None:
        raise DatasetError("Which dataset? Name a zip or a folder, or use --download.")
    data = str(expanded(options.data).absolute())
    relabeled = dict(options.relabel)
    if asked := [*options.leave_out, *relabeled]:
        whole = open_dataset(data, progress=progress.show)
        _check(asked, relabeled.values(), set(corrections.names(whole["file"], whole.attrs["folder"])))
    if options.undo and (unknown := [photo for photo in options.undo if photo not in corrections.of(data)]):
        raise DatasetError(
            f"There is no correction of {unknown[0]} to undo. Without --undo, this command lists them all."
        )
    corrections.correct(data, options.leave_out, None)
    for photo, label in relabeled.items():
        corrections.correct(data, [photo], label)
    corrections.undo(data, options.undo)
    source = Source(data, options.images, options.seed)
    table = source.table(progress.show)
    return Found(data, table.attrs["folder"], summary(source, table, progress.show))


def _check(photos: Any, labels: Any, inside: set[str]) -> None:
    for photo in photos:
        if photo not in inside:
            raise DatasetError(
                f"There is no photo {photo} in this dataset. Write its path inside it, for example {sorted(inside)[0]}."
            )
    for label in labels:
        if label not in LABELS:
            raise DatasetError(f"A photo shows a “cat” or a “dog”, not {label!r}.")


def answer(found: Found) -> dict[str, Any]:
    """Return the JSON object of the command."""
    facts = found.summary
    pairs = {part: corrections.names(facts.duplicates[part], found.folder) for part in ("test", "training")}
    return {
        "data": found.data,
        "images": int(facts.balance["photos"].sum()),
        "classes": {row.pop("class"): row for row in facts.balance.round({"share": 6}).to_dict("records")},
        "width": facts.sizes.width,
        "height": facts.sizes.height,
        "bytes": facts.sizes.bytes,
        "broken": facts.broken,
        "duplicates": [
            {"test": test, "training": training, "same_file": same}
            for test, training, same in zip(
                pairs["test"], pairs["training"], facts.duplicates["same_file"].tolist(), strict=True
            )
        ],
        "corrections": facts.corrections,
        "corrections_file": str(corrections.path_of(found.data)),
    }


def text(found: Found) -> str:
    """Return the same for people: a line for each fact, at most ten names of each kind."""
    facts, sizes = found.summary, found.summary.sizes
    lines = [
        f"{row['class']}s: {row['photos']:,} ({percent(row['share'], counted=True)}), "
        f"{row['training']:,} for training, {row['test']:,} for testing"
        for row in facts.balance.to_dict("records")
    ]
    lines.append(
        "width {0:,} to {2:,} pixels (median {1:,}), ".format(*sizes.width)
        + "height {0:,} to {2:,} (median {1:,}), ".format(*sizes.height)
        + f"{data_size(sizes.bytes)}"
    )
    lines += _listed("broken", facts.broken)
    pairs = zip(
        *(corrections.names(facts.duplicates[part], found.folder) for part in ("test", "training")), strict=True
    )
    lines += _listed(
        "photos of the test set that are in the training set too", [f"{test} = {training}" for test, training in pairs]
    )
    lines += _listed("corrected", [f"{name}: {label or 'left out'}" for name, label in facts.corrections.items()])
    return "\n".join(lines)


def _listed(what: str, names: list[str]) -> list[str]:
    more = [f"  and {len(names) - 10:,} more"] if len(names) > 10 else []
    return [f"{what}: {len(names):,}", *(f"  {name}" for name in names[:10]), *more]

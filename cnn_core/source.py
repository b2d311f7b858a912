"""Where the images of a run come from: a dataset or drawn pets, how many of them, and how they are split.

Whoever trains on a source or measures a model on it asks the same object, so the test set is the same for both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnn_core import dataset, sketches
from cnn_core.data_files import corrections
from cnn_core.data_files.corrections import Corrections
from cnn_core.data_files.decoded import Draw
from cnn_core.data_files.survey import readable
from cnn_core.dataset import Progress
from cnn_core.storage.cache import fingerprint
from cnn_core.storage.files import expanded, may_read, visiting

if TYPE_CHECKING:
    import pandas as pd

DRAWN = "sketches"
"""The data that the program draws itself, in the place of a path."""


@dataclass(frozen=True)
class Source:
    """The images of a run.

    Attributes
    ----------
    data : str
        `DRAWN`, or the path of a dataset as `dataset.open_dataset` takes it.
    images : int or None
        Maximum number of images, training and test set together, equally many of both classes; None for all (of drawn
        ones `sketches.DEFAULT_COUNT`).
    seed : int
        Chooses the images and the split.
    test_size : float
        Fraction of the images that is kept for testing.
    corrections : mapping of str to str or None, optional
        Photos that are relabeled or left out, by their paths inside the dataset; by default those that are kept in
        ``$CNN_LAB_HOME`` now. They are applied after the split: no photo moves from one set into the other.

    Examples
    --------
    >>> Source().drawn, Source("photos.zip").drawn
    (True, False)
    """

    data: str = DRAWN
    images: int | None = None
    seed: int = 42
    test_size: float = 0.25
    corrections: Mapping[str, str | None] | None = None

    @classmethod
    def for_model(cls, facts: Mapping[str, Any], data: str) -> Source:
        """Return the source to measure a model on, with a test set that the model has not learned from.

        Parameters
        ----------
        facts : dict
            ``ModelCard.facts``: the settings of the model's run, or the card of a bundled model.
        data : str
            What to measure it on.

        Returns
        -------
        Source
            With the run's own number of images, seed and test size where the model learned from the same data; of
            other data the model knows nothing, so any split is right.

        Examples
        --------
        >>> run = {"data": "photos.zip", "images": 100, "seed": 7, "test_size": 0.5}
        >>> Source.for_model(run, "photos.zip")
        Source(data='photos.zip', images=100, seed=7, test_size=0.5, corrections=None)
        >>> Source.for_model(run, "others.zip")
        Source(data='others.zip', images=None, seed=42, test_size=0.25, corrections=None)
        """
        learned = facts
        if isinstance(facts.get("source"), Mapping):  # a card: it names the dataset, not where it was
            learned = {**facts["source"], "data": data if _stem(data) == facts["source"].get("name") else None}
        if not _same_data(learned.get("data"), data):
            return cls(data)
        known = {name: learned[name] for name in ("images", "seed", "test_size") if name in learned}
        return cls(data, **known)

    @property
    def drawn(self) -> bool:
        """Whether the program draws the images itself."""
        return self.data == DRAWN

    @property
    def exists(self) -> bool:
        """Whether there is something at the path; drawn images can always be had."""
        return self.drawn or (may_read(path := expanded(self.data)) and path.exists())

    @property
    def name(self) -> str:
        """The dataset's name, without its folder and ending."""
        return _stem(self.data)

    @property
    def shown(self) -> str:
        """Its path as a page shows it; visitors of a shared server see only the file's name."""
        return Path(self.data).name if visiting() else self.data

    @property
    def in_force(self) -> Corrections:
        """The corrections that are applied.

        Raises
        ------
        CorrectionsError
            When those of the dataset cannot be read.
        """
        if self.corrections is None:
            return {} if self.drawn else corrections.of(self.data)
        return dict(self.corrections)

    @property
    def draw(self) -> Draw | None:
        """What draws the image of a file that is not there; None for a dataset."""
        return partial(sketches.draw_file, seed=self.seed) if self.drawn else None

    def table(self, progress: Progress | None = None, *, lazily: bool = False) -> pd.DataFrame:
        """Return all images of the source, before any correction.

        Parameters
        ----------
        progress : callable, optional
            Called as ``progress(done, total, what)``.
        lazily : bool
            Leave drawn images that are not there yet to `draw`.

        Returns
        -------
        pandas.DataFrame
            As `dataset.open_dataset` returns it.

        Raises
        ------
        DatasetError
            When the data cannot be read, or drawn images cannot be written.
        """
        if self.drawn:
            drawn = (self._count, self.seed)
            folder = sketches.begun(*drawn) if lazily else sketches.folder(*drawn, progress)
            return dataset.table_of(folder, {name: name[:3] for name in sorted(sketches.names(self._count))}, DRAWN)
        return dataset.balanced_sample(dataset.open_dataset(self.data, progress=progress), self.images, self.seed)

    def fingerprint(self, files: Iterable[str]) -> str:
        """Return a name for the images as they are now, with their corrections.

        Parameters
        ----------
        files : iterable of str
            All images, in an order that depends on nothing else. Drawn ones follow from their number and the seed.

        Raises
        ------
        OSError
            When a file is missing.
        """
        drawn = [self._count, self.seed] if self.drawn else []
        corrected = sorted(self.in_force.items(), key=str)
        return fingerprint([] if drawn else files, [*drawn, *corrected])

    def split(self, progress: Progress | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the training set and the test set, corrected.

        Raises
        ------
        DatasetError
            As `table`, or when there are too few images to split.
        CorrectionsError
            When the corrections of the dataset cannot be read.
        """
        return self.parts(self.table(progress))

    def parts(self, table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Split what `table` has returned, as `split` does."""
        training, test = dataset.split(table, self.test_size, self.seed)
        return self._corrected(training, table), self._corrected(test, table)

    def subset(
        self, subset: str = "test", max_images: int | None = None, progress: Progress | None = None
    ) -> pd.DataFrame:
        """Return the test set or all images, and of these at most `max_images`; broken ones are left out.

        The source is split first, then some of the images are chosen, then they are corrected, then each is looked at:
        a split of other images would be another one, with training images in its test set.

        Parameters
        ----------
        subset : {"test", "all"}
        max_images : int, optional
            By default all.
        progress : callable, optional
            Called as ``progress(done, total, what)``.

        Returns
        -------
        pandas.DataFrame
            As `table`; ``attrs["broken"]`` lists the broken images, which were left out.

        Raises
        ------
        DatasetError, CorrectionsError
            As `split`.
        """
        table = self.table(progress)
        chosen = dataset.split(table, self.test_size, self.seed)[1] if subset == "test" else table
        chosen = self._corrected(dataset.balanced_sample(chosen, max_images), table)
        try:
            found = readable(chosen, table.attrs["folder"], progress)
        except OSError as error:
            raise dataset.DatasetError(
                f"The pictures could not be looked at: {error}. Free some disk space or check the folder."
            ) from error
        found.attrs |= table.attrs
        return found

    @property
    def _count(self) -> int:
        return self.images or sketches.DEFAULT_COUNT

    def _corrected(self, rows: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
        known = self.in_force
        return corrections.apply(rows, table.attrs["folder"], known) if known else rows


def _stem(data: str) -> str:
    return data if data == DRAWN else Path(data).stem


def _same_data(one: object, other: str) -> bool:
    if not isinstance(one, str) or DRAWN in (one, other):
        return one == other
    return expanded(one).absolute() == expanded(other).absolute()

"""Files that a task may add: the test that a likely source file lacks, placed as those of its neighbours are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from coffee_hooks.predict.corpus import Corpus, folder_of, grouped, stem_of, subject_of

LIKELY = 0.2
"""A source file that is less likely than this brings no test of its own."""
HABIT = 2
"""So many neighbours have to have their tests in the same place."""
ADDED = 0.4
"""How often work on a source file without tests adds them, where the neighbours have some. Set by hand."""


@dataclass(frozen=True, slots=True)
class NewFile:
    """A *path* that does not exist, with a probability in 0..1 and why."""

    path: str
    probability: float
    evidence: str


def new_files(corpus: Corpus, likely: Mapping[int, float]) -> Iterator[NewFile]:
    """The tests that the files of *likely*, with their probabilities, lack."""
    sources = [at for at, probability in likely.items() if probability >= LIKELY and _is_source(corpus, at)]
    if not sources:
        return
    by_subject = grouped((subject_of(path), at) for at, path in enumerate(corpus.paths))
    habits = _habits(corpus, {folder_of(corpus.paths[at]) for at in sources}, by_subject)
    for at in sources:
        path = corpus.paths[at]
        habit = habits.get((folder_of(path), _ending(path)))
        if habit is None or _tests(corpus, at, by_subject):
            continue
        (place, before, after), share = habit
        name = f"{place}/{before}{stem_of(path)}{after}".lstrip("/")
        if name not in corpus.place:
            evidence = f"{path} has no tests, its neighbours have theirs in {place or 'the top folder'}"
            yield NewFile(name, round(likely[at] * share * ADDED, 4), evidence)


def _habits(
    corpus: Corpus, folders: set[str], by_subject: Mapping[str, Sequence[int]]
) -> dict[tuple[str, str], tuple[tuple[str, str, str], float]]:
    """For the files of a folder with one ending where most tests of them are: folder, and what is around the name."""
    seen: dict[tuple[str, str], Counter[tuple[str, str, str]]] = defaultdict(Counter)
    whole: Counter[tuple[str, str]] = Counter()
    for at, path in enumerate(corpus.paths):
        if folder_of(path) not in folders or not _is_source(corpus, at):
            continue
        key = folder_of(path), _ending(path)
        whole[key] += 1
        for test in _tests(corpus, at, by_subject):
            name = corpus.paths[test].rpartition("/")[2]
            before, found, after = name.partition(stem_of(path))
            if found and len(before) + len(after) > len(_ending(path)) + 1:
                seen[key][folder_of(corpus.paths[test]), before, after] += 1
    best = {key: min(places.items(), key=lambda each: (-each[1], each[0])) for key, places in seen.items()}
    return {key: (place, min(1.0, n / whole[key])) for key, (place, n) in best.items() if n >= HABIT}


def _tests(corpus: Corpus, at: int, by_subject: Mapping[str, Sequence[int]]) -> list[int]:
    return [other for other in by_subject[subject_of(corpus.paths[at])] if corpus.tests[other]]


def _is_source(corpus: Corpus, at: int) -> bool:
    return not (corpus.tests[at] or corpus.documents[at] or corpus.data[at])


def _ending(path: str) -> str:
    return path.rpartition("/")[2].partition(".")[2]

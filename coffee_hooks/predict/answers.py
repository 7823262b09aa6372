"""Predictions for the tasks of a commit, remembered in ``<git-common-dir>/coffee/predict/answers.jsonl``.

They are the same for the same commit and the same text, so that only new texts are looked at. The file may be deleted
at any time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import NewType

from coffee_hooks.base.files import keep_lines
from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.predict.grammars import grammars
from coffee_hooks.predict.model import fitted
from coffee_hooks.predict.predict import Prediction, predict
from coffee_hooks.predict.read import read_corpus

FORMAT = "coffee predictions 1"

_Key = NewType("_Key", str)


def predict_at(
    repo: Repo, commit: Sha, texts: Sequence[str], ignored: AbstractSet[str] = frozenset()
) -> list[tuple[Prediction, ...]]:
    """For each of *texts* the files of *commit* that its task may touch, the likeliest first.

    *ignored* are paths that tell what is to be done and are not touched by doing it.
    """
    keys = [_Key(hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()) for text in texts]
    place = repo.state_dir / "predict" / "answers.jsonl"
    left_out = hashlib.sha256("\0".join(sorted(ignored)).encode("utf-8", "surrogateescape")).hexdigest()
    head = json.dumps([FORMAT, commit, fitted().version, grammars(), left_out])
    known = _load(place, head)
    new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    if new:
        answers = predict(read_corpus(repo, commit, ignored), list(new.values()), fitted())
        known.update(zip(new, answers, strict=True))
        keep_lines(place, [head, *(_line(key, known[key]) for key in sorted(known))])
    return [known[key] for key in keys]


def _load(place: Path, head: str) -> dict[_Key, tuple[Prediction, ...]]:
    try:
        with place.open(encoding="utf-8") as file:
            if file.readline() != f"{head}\n":
                return {}
            return dict(map(_read, file))
    except (OSError, ValueError, TypeError, RecursionError):
        return {}  # damaged or gone: what it held is worked out anew


def _line(key: _Key, predictions: Sequence[Prediction]) -> str:
    return json.dumps([key, [(each.path, each.probability, each.evidence) for each in predictions]])


def _read(line: str) -> tuple[_Key, tuple[Prediction, ...]]:
    key, rows = json.loads(line)
    return key, tuple(Prediction(path, probability, tuple(evidence)) for path, probability, evidence in rows)

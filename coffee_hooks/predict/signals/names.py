"""Files that the text of a task names: by path or module, by name, by the first part of the name, by folder."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from coffee_hooks.predict.corpus import Corpus, folder_of, grouped, stem_of
from coffee_hooks.predict.question import Question
from coffee_hooks.predict.signals.signal import Signal
from coffee_hooks.predict.words import STOP_WORDS

_TOKEN = re.compile(r"[\w@+-]{0,200}(?:[./\\]|::)[\w./\\:@+-]{0,400}\w|\w[\w-]+")
_WORD = re.compile(r"[a-z0-9_][\w-]*")
_LONG = 4
"""Letters of the shortest word that may be the name of a file or folder."""
_AMBIGUOUS = 8
"""A word that is the name of more files than this names none."""
_MODULE = 0.7
"""How strongly ``pkg.module.name`` points to the file of ``pkg.module``."""
_LARGE = 30
"""Files of the largest folder that counts."""
_USUAL = frozenset({"tests", "test", "docs", "src", "lib"})


def named_path(corpus: Corpus) -> Signal:
    """A whole path, the end of one with a folder in it, or a dotted module."""
    ends = [_without_ending(path) for path in corpus.paths]

    def find(question: Question) -> Mapping[int, float]:
        found: dict[int, float] = {}
        for token in _tokens(question):
            for at, strength in _by_path(corpus, ends, token):
                found[at] = max(strength, found.get(at, 0.0))
        return found

    return Signal("named path", find, lambda _question, _at: "the text names this path")


def named_file(corpus: Corpus) -> Signal:
    """The last name of a file, shared out over the files that have it."""

    def find(question: Question) -> Mapping[int, float]:
        names = {token.lower() for token in _tokens(question) if "." in token and "/" not in token}
        return {at: 1 / len(files) for name in names if (files := corpus.by_name.get(name)) for at in files}

    return Signal("named file", find, lambda _question, _at: "the text names a file of this name")


def named_stem(corpus: Corpus) -> Signal:
    """A word that is the name of a file up to its ending."""

    def find(question: Question) -> Mapping[int, float]:
        words = {spelled for word in _words(question) for spelled in (word, word.replace("-", "_"))}
        hits = (corpus.by_stem.get(word, ()) for word in words)
        found: dict[int, float] = {}
        for files in hits:
            if len(files) <= _AMBIGUOUS:
                found.update((at, max(1 / len(files), found.get(at, 0.0))) for at in files)
        return found

    return Signal("named stem", find, lambda _question, at: f"the text has the word {stem_of(corpus.paths[at])}")


def named_folder(corpus: Corpus) -> Signal:
    """A word that is the name of the folder that the file is in; a large folder says nothing about one of its files."""
    inside = grouped((folder_of(path), at) for at, path in enumerate(corpus.paths))
    by_word: dict[str, list[int]] = defaultdict(list)
    for folder, files in inside.items():
        if len(files) <= _LARGE:
            by_word[_last(folder)].extend(files)

    def find(question: Question) -> Mapping[int, float]:
        words = dict.fromkeys(word for word in _words(question) if word not in _USUAL)
        return {at: 1.0 for word in words for at in by_word.get(word, ())}

    def say(_question: Question, at: int) -> str:
        return f"the text names the folder {_last(folder_of(corpus.paths[at]))}"

    return Signal("named folder", find, say)


def _tokens(question: Question) -> set[str]:
    return {token.strip(".:\\/-").replace("\\", "/") for token in _TOKEN.findall(question.text)}


def _words(question: Question) -> Iterator[str]:
    for word in _WORD.findall(question.text.lower()):
        name = word.strip("-_")
        if len(name) >= _LONG and name not in STOP_WORDS:
            yield name


def _by_path(corpus: Corpus, ends: Sequence[str], token: str) -> Iterator[tuple[int, float]]:
    if token in corpus.place:
        yield corpus.place[token], 1.0
        return
    lower = token.lower()
    if "/" in lower:
        files = [at for at in corpus.by_name.get(lower.rpartition("/")[2], ()) if _ends(corpus.paths[at], lower)]
        if files:
            yield from ((at, 1 / len(files)) for at in files)
            return
    parts = [part for part in re.split(r"::|/" if "/" in lower or "::" in lower else r"\.", lower) if part]
    for strength, kept in ((1.0, parts), (_MODULE, parts[:-1])):
        if len(kept) < 2:
            return
        module = "/".join(kept)
        files = [at for at in corpus.by_stem.get(kept[-1], ()) if f"/{ends[at]}".endswith(f"/{module}")]
        if files:
            yield from ((at, strength / len(files)) for at in files)
            return


def _last(folder: str) -> str:
    return folder.rpartition("/")[2].lower()


def _ends(path: str, lower: str) -> bool:
    return f"/{path.lower()}".endswith(f"/{lower}")


def _without_ending(path: str) -> str:
    folder, _, name = path.lower().rpartition("/")
    stem = name.rpartition(".")[0] or name
    return f"{folder}/{stem}" if folder else stem

"""Predictions on a real repository: always the same, from what is remembered as from the files, whatever is damaged."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from coffee_hooks.base import git as gate
from coffee_hooks.base.git import Repo
from coffee_hooks.base.project import open_project
from coffee_hooks.base.refs import resolve_commit
from coffee_hooks.predict import answers, index
from coffee_hooks.predict.answers import predict_at
from coffee_hooks.predict.model import fitted
from coffee_hooks.predict.predict import LEAST, MOST, REASONS, Prediction, predict
from coffee_hooks.predict.read import read_corpus

if TYPE_CHECKING:
    from conftest import Git, Sandbox

TEXTS = (
    "Refill the stock\n\nChange `shop/stock.py` when the shelf is empty.",
    "Show the menu\n\nThe prices of `brew_espresso` are wrong.",
    "",
    "Nothing that anybody knows: zylophone.",
)
FILES = {
    "shop/stock.py": "class Shelf:\n    def refill_stock(self):\n        return 'beans'\n",
    "shop/menu.py": "from shop.stock import Shelf\n\ndef brew_espresso():\n    return 'prices'\n",
    "tests/test_stock.py": "from shop.stock import Shelf\n",
    "odd \u00fc name.py": "def odd():\n    return 'shelf'\n",
    "picture.png": "\0\0\0",
}

Answers = list[tuple[Prediction, ...]]


@pytest.fixture
def shop(sandbox: Sandbox) -> Repo:
    """A small shop with three changes."""
    sandbox.commit(FILES, "Open the shop")
    sandbox.commit({"shop/stock.py": FILES["shop/stock.py"] + "# more\n"}, "Refill the shelf earlier")
    return open_project(sandbox.work).repo


def head(repo: Repo) -> gate.Sha:
    """The commit that is checked out."""
    found = resolve_commit(repo, "HEAD")
    assert found is not None
    return found


def ask(repo: Repo, texts: Sequence[str] = TEXTS) -> Answers:
    """The predictions at HEAD."""
    return predict_at(repo, head(repo), texts)


def files(repo: Repo) -> tuple[Path, Path]:
    """What is remembered: answers and sources."""
    return repo.state_dir / "predict/answers.jsonl", repo.state_dir / "predict/sources.jsonl"


def test_what_is_said_of_a_task(shop: Repo) -> None:
    """The named file first, each with a reason and a probability; little for a text that says nothing known."""
    stock, menu, nothing, unknown = ask(shop)
    assert stock[0].path == "shop/stock.py" and menu[0].path == "shop/menu.py"
    assert stock[0].probability > 0.3 > max((each.probability for each in (*nothing, *unknown)), default=0)
    for each in (*stock, *menu, *nothing, *unknown):
        assert LEAST <= each.probability <= 1 and 1 <= len(each.evidence) <= REASONS
    assert all(len(each) <= MOST for each in (stock, menu))


def test_each_text_is_answered_for_itself(shop: Repo) -> None:
    """Alone, in any order or twice: the other texts make no difference."""
    corpus = read_corpus(shop, head(shop))
    whole = predict(corpus, TEXTS, fitted())
    assert predict(corpus, TEXTS[::-1], fitted())[::-1] == whole
    assert [predict(corpus, [text], fitted())[0] for text in TEXTS] == whole
    assert predict(corpus, [*TEXTS, *TEXTS], fitted()) == [*whole, *whole]


def test_what_is_remembered_is_the_same_byte_for_byte(shop: Repo) -> None:
    """With both files, with either of them, with none; asked for a part of it or for more."""
    cold = ask(shop)
    kept = [path.read_bytes() for path in files(shop)]
    for gone in ((), (0,), (1,), (0, 1)):
        for number in gone:
            files(shop)[number].unlink(missing_ok=True)
        assert ask(shop) == cold
        assert files(shop)[0].read_bytes() == kept[0]
    assert ask(shop, TEXTS[:1]) == cold[:1]
    assert ask(shop, (*TEXTS, "One more"))[:4] == cold


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    number=st.integers(0, 1),
    cut=st.floats(0, 1),
    tail=st.sampled_from([b"", b"\xff", b"\0\n", b"[" * 100_000, b'["a"]\n', b"[1,2]\n", b"{}\n", b"null\n", b'"'])
    | st.binary(max_size=30),
)
@example(number=0, cut=1.0, tail=b"[" * 100_000)
@example(number=1, cut=0.5, tail=b"[" * 100_000)
def test_damage_only_costs_time(shop: Repo, number: int, cut: float, tail: bytes) -> None:
    """A file that is cut off anywhere and goes on with anything is read anew, and whole again afterwards."""
    cold = ask(shop)
    kept = [path.read_bytes() for path in files(shop)]
    damaged = files(shop)[number]
    damaged.write_bytes(kept[number][: int(cut * len(kept[number]))] + tail)
    if number:
        files(shop)[0].unlink()
    assert ask(shop) == cold
    if files(shop)[number].read_bytes() != kept[number]:  # what was not needed may stay as it is
        files(shop)[0].unlink()
        files(shop)[1].unlink(missing_ok=True)
        assert ask(shop) == cold
    for path, data in zip(files(shop), kept, strict=True):
        path.write_bytes(data)


@pytest.mark.parametrize("module", [answers, index])
def test_files_of_another_version_are_not_read(shop: Repo, module: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an older or newer program wrote is written anew."""
    cold = ask(shop)
    monkeypatch.setattr(module, "FORMAT", "another format 9")
    files(shop)[0].unlink(missing_ok=module is index)
    assert ask(shop) == cold
    assert b"another format 9" in files(shop)[module is index].read_bytes()[:40]


@pytest.mark.parametrize("kind", ["a file in the way", "folders in the way", "read-only"])
def test_a_place_that_cannot_be_written_only_costs_time(shop: Repo, kind: str) -> None:
    """The same answer, and nothing is left half done."""
    cold = ask(shop)
    place = files(shop)[0].parent
    shutil.rmtree(place)
    if kind == "a file in the way":
        place.write_bytes(b"x")
    elif kind == "folders in the way":
        for path in files(shop):
            path.mkdir(parents=True)
    else:
        place.mkdir(mode=0o500)
    try:
        assert ask(shop) == cold == ask(shop)
    finally:
        if kind == "read-only":
            place.chmod(0o700)


def test_several_at_once_agree(shop: Repo) -> None:
    """Eight that look at the same time, on an empty memory: every one gets the answer, and what stays is whole."""
    cold = ask(shop)
    kept = [path.read_bytes() for path in files(shop)]
    shutil.rmtree(files(shop)[0].parent)
    found: list[Answers] = []
    threads = [threading.Thread(target=lambda: found.append(ask(shop))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [cold] * 8 == [ask(shop)] * 8
    assert files(shop)[0].read_bytes() == kept[0]


def test_only_what_is_new_is_read(sandbox: Sandbox, shop: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same question costs no look at the repository, another one none at its files, a commit one at the sizes of
    its blobs and one at them."""
    asked: list[str] = []
    monkeypatch.setattr(gate, "trace", [lambda argv: asked.append(gate._subcommand(argv))])
    blobs: list[int] = []
    reading = index.read_blobs
    monkeypatch.setattr(index, "read_blobs", lambda repo, names: blobs.append(len(names)) or reading(repo, names))

    def looks(texts: Sequence[str]) -> list[str]:
        commit = head(shop)
        asked.clear()
        predict_at(shop, commit, texts)
        return list(asked)

    assert looks(TEXTS) == ["ls-tree", "cat-file", "cat-file", "log"]
    assert looks(TEXTS) == []
    assert looks((*TEXTS, "One more")) == ["ls-tree", "log"]
    blobs.clear()
    sandbox.commit({"shop/menu.py": "def brew_tea(): ...\n"}, "Sell tea")
    assert looks(TEXTS) == ["ls-tree", "cat-file", "cat-file", "log"] and blobs == [1]


def test_names_that_are_no_text_are_predicted_as_bytes(sandbox: Sandbox, shop: Repo, git: Git) -> None:
    """A file whose name is not UTF-8 survives being remembered; one with a line break in it is left out."""
    here = os.fsencode(sandbox.work)
    for name in (b"shelf_\xff.py", b"shelf\nbreak.py"):
        with open(os.path.join(here, name), "w") as file:  # noqa: PTH123, PTH118 - bytes
            file.write("def zebra_shelf(): ...\n")
    git(sandbox.work, "add", "--all")
    sandbox.commit({}, "Odd names")
    (cold,) = ask(shop, ["Change `zebra_shelf`"])
    assert ask(shop, ["Change `zebra_shelf`"]) == [cold]
    assert os.fsdecode(b"shelf_\xff.py") in [each.path for each in cold]
    assert not [each for each in cold if "\n" in each.path]

"""The local state: shared by many processes, clear about every way it can fail, and worth nothing."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.errors import CoffeeError, EnvironmentFailure, LockedError, UsageError
from coffee_hooks.state import store as module
from coffee_hooks.state.agents import all_runs, begin_run
from coffee_hooks.state.facts import add_to_fact, fact, set_fact
from coffee_hooks.state.schema import MIGRATIONS
from coffee_hooks.state.store import explanation, open_store
from coffee_hooks.state.timings import Phase, Timing, record_timing, timings


def test_a_new_state_is_made_and_found_again(tmp_path: Path) -> None:
    """The first open creates folder, schema and WAL; the second finds what the first wrote."""
    state = tmp_path / "a/coffee"
    with open_store(state) as store:
        set_fact(store, "last_cleanup", "1.5")
        assert store.rows("PRAGMA journal_mode") == [("wal",)]
        assert store.rows("PRAGMA user_version") == [(len(MIGRATIONS),)]
    with open_store(state) as store:
        assert fact(store, "last_cleanup") == "1.5"


def test_facts_are_replaced_and_counted(tmp_path: Path) -> None:
    """A fact holds its last value, a count starts at 0, an unknown fact is None."""
    with open_store(tmp_path) as store:
        set_fact(store, "k", "old")
        set_fact(store, "k", "new")
        add_to_fact(store, "n", 2)
        add_to_fact(store, "n", 3)
        assert (fact(store, "k"), fact(store, "n"), fact(store, "unknown")) == ("new", "5", None)


def test_timings_come_back_as_they_were_recorded(tmp_path: Path) -> None:
    """Every phase makes the round trip, in order."""
    kept = [Timing("US-104", "roadmap-wt1", phase, 1.25, 2.5, "landed") for phase in Phase]
    with open_store(tmp_path) as store:
        for timing in kept:
            record_timing(store, timing)
        assert timings(store) == kept


@pytest.fixture(scope="module")
def shared_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One state for all examples of a property."""
    return tmp_path_factory.mktemp("state")


@given(name=st.text(st.characters() | st.characters(categories=["Cs"])))
def test_any_name_survives(shared_state: Path, name: str) -> None:
    """Names of files are bytes: lone surrogates, NUL and quotes come back as they went in."""
    with open_store(shared_state) as store:
        set_fact(store, "name", name)
        assert fact(store, "name") == name


WORKER = """
import sys
from pathlib import Path
from coffee_hooks.state.facts import add_to_fact
from coffee_hooks.state.store import open_store

for state in sys.stdin:
    for _ in range(3):
        with open_store(Path(state.rstrip("\\n"))) as store:
            add_to_fact(store, "count", 1)
    print("done", flush=True)
"""


def test_eight_processes_lose_nothing(tmp_path: Path) -> None:
    """Eight processes create sixty states, each at the same moment, and write; every write counts, none fails."""
    states = [tmp_path / f"{n}/coffee" for n in range(60)]
    workers = [
        subprocess.Popen([sys.executable, "-c", WORKER], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(8)
    ]
    for state in states:
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write(f"{state}\n")
            worker.stdin.flush()
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "done\n"
    for worker in workers:
        worker.communicate()
    for state in states:
        with open_store(state) as store:
            assert fact(store, "count") == "24"


def test_a_failed_write_leaves_the_store_usable(tmp_path: Path) -> None:
    """After a write that failed in its transaction the same store writes on."""
    with open_store(tmp_path) as store:
        with pytest.raises(sqlite3.IntegrityError):
            store.write("INSERT INTO facts (key, value) VALUES ('k', NULL)")
        set_fact(store, "k", "v")
        assert fact(store, "k") == "v"


def test_a_migration_that_dies_is_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that fails in its middle leaves the old version; the next open runs the whole step."""
    with open_store(tmp_path) as store:
        set_fact(store, "k", "v")
    broken = ("CREATE TABLE extra (x)", "INSERT INTO nowhere VALUES (1)")
    monkeypatch.setattr(module, "MIGRATIONS", (*MIGRATIONS, broken))
    with pytest.raises(EnvironmentFailure), open_store(tmp_path):
        pass
    monkeypatch.setattr(module, "MIGRATIONS", (*MIGRATIONS, broken[:1]))
    with open_store(tmp_path) as store:
        assert store.rows("SELECT count(*) FROM extra") == [(0,)]
        assert fact(store, "k") == "v"


def test_a_newer_schema_is_not_touched(tmp_path: Path) -> None:
    """What a newer coffee wrote is refused with the way out, and stays as it is."""
    with open_store(tmp_path) as store:
        store.write("PRAGMA user_version = 99")
    with pytest.raises(UsageError, match="newer coffee") as caught, open_store(tmp_path):
        pass
    assert "upgrade" in caught.value.hint
    with sqlite3.connect(tmp_path / "state.db") as raw:
        assert raw.execute("PRAGMA user_version").fetchone() == (99,)


def test_a_damaged_state_names_the_file_to_delete(tmp_path: Path) -> None:
    """Garbage in place of the database fails with a hint that, followed, repairs it."""
    state = tmp_path / "my state"
    state.mkdir()
    (state / "state.db").write_bytes(b"this is not a database at all" * 100)
    with pytest.raises(EnvironmentFailure, match="damaged") as caught, open_store(state):
        pass
    subprocess.run(["sh", "-c", caught.value.hint.partition(": ")[2]], check=True)
    with open_store(state) as store:
        assert fact(store, "k") is None


def test_a_damaged_table_is_an_environment_failure(tmp_path: Path) -> None:
    """A database without our tables but with our version is damaged, too."""
    with open_store(tmp_path) as store:
        store.write("DROP TABLE facts")
        with pytest.raises(EnvironmentFailure, match="damaged"):
            fact(store, "k")


def test_a_full_disk_is_told_and_harms_nothing(tmp_path: Path) -> None:
    """When there is no page left, the write fails with a hint and what was written before stays."""
    with open_store(tmp_path) as store:
        set_fact(store, "k", "v")
        (pages,) = store.rows("PRAGMA page_count")[0]
        store.rows(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(EnvironmentFailure, match="cannot write") as caught:
            set_fact(store, "big", "x" * 100_000)
        assert "disk space" in caught.value.hint
        assert fact(store, "k") == "v"
        store.rows("PRAGMA max_page_count = 100000")
        set_fact(store, "big", "x" * 100_000)


def test_a_state_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A read-only database, a folder in its place and a file in place of the folder: one clear error each."""
    with open_store(tmp_path / "ro") as store:
        store.rows("PRAGMA query_only = on")
        with pytest.raises(EnvironmentFailure, match="for writing"):
            set_fact(store, "k", "v")
    (tmp_path / "dir/state.db").mkdir(parents=True)
    (tmp_path / "file").write_text("")
    for state in (tmp_path / "dir", tmp_path / "file", tmp_path / "file/below"):
        with pytest.raises(EnvironmentFailure, match="for writing") as caught, open_store(state):
            pass
        assert caught.value.hint
        assert caught.value.detail


def test_a_state_held_by_another_process_is_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that never ends makes the others give up with the exit code for a lock, not hang."""
    monkeypatch.setattr(module, "BUSY_SECONDS", 0.01)
    with open_store(tmp_path) as store:
        other = sqlite3.connect(tmp_path / "state.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LockedError):
            set_fact(store, "k", "v")
        other.close()
        set_fact(store, "k", "v")


def test_deleting_the_state_costs_nothing_but_its_content(tmp_path: Path) -> None:
    """A database deleted under an open store: the old one stays quiet, the new one is whole."""
    with open_store(tmp_path) as old:
        set_fact(old, "k", "old")
        for file in tmp_path.glob("state.db*"):
            file.unlink()
        with open_store(tmp_path) as new:
            set_fact(new, "k", "new")
            set_fact(old, "k", "late")
    with open_store(tmp_path) as store:
        assert fact(store, "k") == "new"
        assert store.rows("PRAGMA integrity_check") == [("ok",)]


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("database is locked", LockedError),
        ("database or disk is full", EnvironmentFailure),
        ("disk I/O error", EnvironmentFailure),
        ("No space left on device", EnvironmentFailure),
        ("attempt to write a readonly database", EnvironmentFailure),
        ("unable to open database file", EnvironmentFailure),
        ("file is not a database", EnvironmentFailure),
        ("database disk image is malformed", EnvironmentFailure),
    ],
)
def test_every_known_failure_has_a_meaning_and_a_hint(said: str, kind: type[CoffeeError]) -> None:
    """What SQLite says is kept as the detail behind one sentence and a hint."""
    meaning = explanation(Path("/x/state.db"), said)
    assert type(meaning) is kind
    assert meaning.hint
    assert meaning.detail == said


@pytest.mark.parametrize(
    "sabotage",
    [
        "UPDATE agent_runs SET reason = 'bogus'",
        "UPDATE agent_runs SET command = 'no json'",
        "UPDATE agent_runs SET command = '5'",
        "UPDATE agent_runs SET started = 'yesterday'",
        "UPDATE agent_runs SET task = x'ff00'",
        "UPDATE agent_runs SET task = CAST(x'ff00' AS TEXT)",
        "PRAGMA user_version = 1",
    ],
)
def test_rows_that_we_never_wrote_are_damage(tmp_path: Path, sabotage: str) -> None:
    """An agent can write into the database; every command called that a bug of ours, and the loop ended."""
    with open_store(tmp_path) as store:
        begin_run(
            store, task="US-1", branch="b", worktree="/w", attempt=1, agent="a", command=("a",), supervisor_pid=0,
            boot_id="", log="/l", when=1.0,
        )  # fmt: skip
        store.write(sabotage) if sabotage.startswith("UPDATE") else store.rows(sabotage)
    with pytest.raises(EnvironmentFailure, match="damaged"), open_store(tmp_path) as store:
        all_runs(store)


def test_our_own_bugs_are_not_explained_away(tmp_path: Path) -> None:
    """A wrong statement is our bug and stays what it is."""
    with open_store(tmp_path) as store, pytest.raises(sqlite3.OperationalError, match="syntax"):
        store.rows("SELEC 1")


def test_the_supervisor_can_afford_the_import() -> None:
    """Importing the store and the runs loads the standard library and our own files, nothing else."""
    code = (
        "import sys; before = set(sys.modules);"
        "import coffee_hooks.state.agents;"
        "loaded = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "print(*sorted(loaded - sys.stdlib_module_names))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "coffee_hooks\n"

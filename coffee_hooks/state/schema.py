"""The tables of the local state, as steps. A released step is never edited, only followed by another."""

from __future__ import annotations

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE agent_runs (
            id INTEGER PRIMARY KEY AUTOINCREMENT, task TEXT NOT NULL, branch TEXT NOT NULL,
            worktree TEXT NOT NULL, attempt INTEGER NOT NULL, agent TEXT NOT NULL, command TEXT NOT NULL,
            supervisor_pid INTEGER NOT NULL, pid INTEGER, start_time REAL, boot_id TEXT NOT NULL,
            log TEXT NOT NULL, started REAL NOT NULL, last_sign REAL NOT NULL,
            ended REAL, exit_code INTEGER, reason TEXT)""",
        # A supervisor may outlive a deleted database: its number must not name a run of the next one.
        "INSERT INTO sqlite_sequence (name, seq) SELECT 'agent_runs', CAST(strftime('%s', 'now') AS INTEGER)",
        "CREATE INDEX agent_runs_task ON agent_runs (task)",
        """CREATE TABLE timings (
            id INTEGER PRIMARY KEY, task TEXT NOT NULL, branch TEXT NOT NULL, phase TEXT NOT NULL,
            started REAL NOT NULL, ended REAL NOT NULL, detail TEXT NOT NULL)""",
        """CREATE TABLE notifications (
            id INTEGER PRIMARY KEY AUTOINCREMENT, created REAL NOT NULL, sender TEXT, recipient TEXT,
            level TEXT NOT NULL, sound INTEGER NOT NULL, title TEXT NOT NULL, message TEXT NOT NULL,
            dedupe_key TEXT, read_at REAL)""",
        # NULLs differ from each other in an index; two messages to everybody with one key do not.
        """CREATE UNIQUE INDEX notifications_once ON notifications
            (dedupe_key, ifnull('to ' || recipient, '')) WHERE dedupe_key IS NOT NULL""",
        "CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    ),
    (
        "ALTER TABLE agent_runs ADD COLUMN cost_usd REAL",
        "ALTER TABLE agent_runs ADD COLUMN tokens INTEGER",
        "ALTER TABLE agent_runs ADD COLUMN tokens_in INTEGER",
        "ALTER TABLE agent_runs ADD COLUMN tokens_out INTEGER",
    ),
    (
        """CREATE TABLE predictions (
            branch TEXT PRIMARY KEY, task TEXT NOT NULL, made REAL NOT NULL, scope TEXT NOT NULL,
            places TEXT NOT NULL)""",
    ),
)
"""Step *n* leads from schema version *n* to *n + 1*; each statement runs in the same transaction."""

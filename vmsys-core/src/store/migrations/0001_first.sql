-- Ids are the sixteen bytes of a version 7 UUID, so that the order of ids is the order of age. Times are milliseconds
-- since 1970. Columns that end in `_json`, and `settings`, `args`, `env`, `payload` and the like, hold JSON text.

CREATE TABLE templates (
    id              BLOB    NOT NULL PRIMARY KEY,
    name            TEXT    NOT NULL,
    engine          TEXT    NOT NULL,
    is_active       INTEGER NOT NULL,
    settings        TEXT    NOT NULL,
    exposed_modules TEXT    NOT NULL,
    libraries       TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX templates_by_name ON templates (name);

CREATE TABLE startup_files (
    id          BLOB    NOT NULL PRIMARY KEY,
    template_id BLOB    NOT NULL REFERENCES templates (id) ON DELETE CASCADE,
    path        TEXT    NOT NULL,
    order_index INTEGER NOT NULL,
    mode        TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX startup_files_by_path ON startup_files (template_id, path);

-- `template_id` is no foreign key: a template can be deleted, the history of its sessions stays.
CREATE TABLE sessions (
    id              BLOB    NOT NULL PRIMARY KEY,
    template_id     BLOB    NOT NULL,
    workspace_id    TEXT    NOT NULL,
    base_commit_oid TEXT    NOT NULL,
    worktree_path   TEXT    NOT NULL,
    status          TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    closed_at       INTEGER,
    last_error      TEXT,
    runtime_meta    TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_template ON sessions (template_id, id);
CREATE INDEX sessions_by_status ON sessions (status, id);

-- The result has three columns instead of one document: its JSON comes out of a realm as text and goes in as it is.
CREATE TABLE executions (
    id             BLOB    NOT NULL PRIMARY KEY,
    session_id     BLOB    NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    kind           TEXT    NOT NULL,
    input          TEXT,
    path           TEXT,
    args           TEXT    NOT NULL,
    env            TEXT    NOT NULL,
    status         TEXT    NOT NULL,
    started_at     INTEGER NOT NULL,
    ended_at       INTEGER,
    result_type    TEXT,
    result_preview TEXT,
    result_json    TEXT,
    error          TEXT,
    wall_ms        INTEGER NOT NULL,
    cpu_ms         INTEGER NOT NULL,
    memory_bytes   INTEGER NOT NULL,
    event_count    INTEGER NOT NULL,
    output_bytes   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX executions_by_session ON executions (session_id, id);
-- For recovery at start; an execution that is stored once, at its end, never enters it.
CREATE INDEX executions_running ON executions (id) WHERE status = 'running';

CREATE TABLE events (
    execution_id BLOB    NOT NULL REFERENCES executions (id) ON DELETE CASCADE,
    seq          INTEGER NOT NULL,
    ts           INTEGER NOT NULL,
    type         TEXT    NOT NULL,
    payload      TEXT    NOT NULL,
    PRIMARY KEY (execution_id, seq)
) STRICT, WITHOUT ROWID;

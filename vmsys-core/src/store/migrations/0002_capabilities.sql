-- What templates grant one by one. `config` holds a JSON object.

CREATE TABLE capabilities (
    id          BLOB    NOT NULL PRIMARY KEY,
    template_id BLOB    NOT NULL REFERENCES templates (id) ON DELETE CASCADE,
    kind        TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    enabled     INTEGER NOT NULL,
    config      TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX capabilities_by_name ON capabilities (template_id, kind, name);

-- Keys under which executions were asked for. `request` is a digest of the whole request, to tell a repetition from
-- another use of the key.

CREATE TABLE idempotency_keys (
    key          TEXT    NOT NULL PRIMARY KEY,
    request      BLOB    NOT NULL,
    execution_id BLOB    NOT NULL REFERENCES executions (id) ON DELETE CASCADE,
    created_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
CREATE INDEX idempotency_keys_by_execution ON idempotency_keys (execution_id);

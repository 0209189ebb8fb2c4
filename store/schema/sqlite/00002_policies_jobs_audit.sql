-- +goose Up

-- Every change of a rule at run time. The newest one of a rule holds, unless the
-- configuration file sets the rule.
CREATE TABLE policy_changes (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    rule   TEXT    NOT NULL,
    value  TEXT    NOT NULL,             -- as the configuration file writes it
    stands INTEGER NOT NULL,             -- 0: the rule went back to its default
    at     INTEGER NOT NULL,
    kind   INTEGER NOT NULL,             -- of the actor
    actor  INTEGER NOT NULL,             -- the actor's person
    device INTEGER NOT NULL
);
CREATE INDEX policy_changes_rule ON policy_changes (rule, id);

-- At most one job of a name waits or is worked on; jobs without a name are as many
-- as there are.
ALTER TABLE jobs ADD COLUMN name   TEXT    NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN failed INTEGER NOT NULL DEFAULT 0;   -- when it was given up; 0: it was not
ALTER TABLE jobs ADD COLUMN error  TEXT    NOT NULL DEFAULT '';  -- of the last attempt
CREATE UNIQUE INDEX jobs_name ON jobs (name) WHERE name <> '' AND failed = 0;
CREATE INDEX jobs_leased ON jobs (leased) WHERE leased > 0;

-- SHA-256 over the hash of the record before and the stored bytes of every other
-- column. Records from before this migration get theirs when the store opens.
ALTER TABLE audit ADD COLUMN hash BLOB NOT NULL DEFAULT x'';

-- One row: the newest record, so that the end of the trail cannot be cut off
-- unnoticed.
CREATE TABLE audit_head (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    record INTEGER NOT NULL,             -- 0: there is none
    hash   BLOB    NOT NULL
);
INSERT INTO audit_head (id, record, hash) VALUES (1, 0, x'');

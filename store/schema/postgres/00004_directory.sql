-- +goose Up

LOCK TABLE meta IN ACCESS EXCLUSIVE MODE;

-- Which directory a person comes from. '': exports that are imported, or nobody's.
ALTER TABLE people ADD COLUMN directory TEXT NOT NULL DEFAULT '';

-- The directory's own word that the person may not sign in; disabled is the
-- administrator's.
ALTER TABLE people ADD COLUMN barred BIGINT NOT NULL DEFAULT 0;

-- 64 bits of a hash of the photo as the directory had it; 0: unknown.
ALTER TABLE photos ADD COLUMN source BIGINT NOT NULL DEFAULT 0;

-- How a directory is followed. Times of 0: never, or not failing.
CREATE TABLE directory_state (
    directory     TEXT   PRIMARY KEY,
    mode          TEXT   NOT NULL,         -- syncrepl, dirsync or poll
    kind          TEXT   NOT NULL,         -- what sort of server it is
    server        TEXT   NOT NULL,         -- which one answered last
    last_sync     BIGINT NOT NULL,
    last_full     BIGINT NOT NULL,
    failing_since BIGINT NOT NULL,
    problem       TEXT   NOT NULL,         -- text key; '': none
    detail        TEXT   NOT NULL,         -- of the problem
    problems      TEXT   NOT NULL          -- JSON list: what is wrong with single entries
);

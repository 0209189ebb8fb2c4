-- Migrations are only ever added. Times are milliseconds since 1970 in UTC.

-- +goose Up

-- One row: what the database is.
CREATE TABLE meta (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    epoch    INTEGER NOT NULL,            -- 64 random bits; new with every restore
    seal_key BLOB    NOT NULL,            -- 16 random bytes, for cursors on the wire
    created  INTEGER NOT NULL,
    head     INTEGER NOT NULL DEFAULT 0   -- at least the highest position ever purged
);

-- One row an entry, whatever the number of its readers.
CREATE TABLE log (
    pos       INTEGER PRIMARY KEY,
    stream    INTEGER NOT NULL,
    n         INTEGER NOT NULL,
    sender    INTEGER NOT NULL,
    device    INTEGER NOT NULL,
    client_id TEXT    NOT NULL,
    about     INTEGER NOT NULL,
    kind      INTEGER NOT NULL,
    content   TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    body      BLOB    NOT NULL
);
CREATE UNIQUE INDEX log_device ON log (device, client_id) WHERE device <> 0;
CREATE INDEX log_stream ON log (stream, pos);

-- What is left of the purged part of a stream. A stream of which nothing was
-- purged has no row.
CREATE TABLE streams (
    id        INTEGER PRIMARY KEY,
    second    INTEGER NOT NULL,           -- of two people's conversation the higher id, else 0
    purged    INTEGER NOT NULL,           -- position of the newest purged entry
    purged_n  INTEGER NOT NULL,           -- its number in the stream
    delivered INTEGER NOT NULL,           -- the newest entry that went because everybody had it
    changed   INTEGER NOT NULL            -- head of the log when delivered moved
);
CREATE INDEX streams_second ON streams (second, id) WHERE second <> 0;

-- A person's place in the log, whatever devices they have.
CREATE TABLE readers (
    person INTEGER PRIMARY KEY,
    floor  INTEGER NOT NULL DEFAULT 0,    -- highest cursor of an ended device
    missed INTEGER NOT NULL DEFAULT 0     -- newest entry that the time limit took from a stream of theirs
);

CREATE TABLE read_marks (
    person  INTEGER NOT NULL,
    stream  INTEGER NOT NULL,
    pos     INTEGER NOT NULL,
    n       INTEGER NOT NULL,
    changed INTEGER NOT NULL,             -- head of the log when the mark moved
    PRIMARY KEY (person, stream)
) WITHOUT ROWID;

CREATE TABLE people (
    id           INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id <= 2147483647),
    source_id    TEXT    NOT NULL UNIQUE,
    address      TEXT    NOT NULL,
    disabled     INTEGER NOT NULL DEFAULT 0,
    gone         INTEGER NOT NULL DEFAULT 0,
    display_name TEXT    NOT NULL,
    given_name   TEXT    NOT NULL,
    surname      TEXT    NOT NULL,
    alias        TEXT    NOT NULL,
    mail         TEXT    NOT NULL,
    other_mail   TEXT    NOT NULL,        -- JSON list
    title        TEXT    NOT NULL,
    department   TEXT    NOT NULL,
    company      TEXT    NOT NULL,
    office       TEXT    NOT NULL,
    manager      INTEGER NOT NULL,
    work_phone   TEXT    NOT NULL,
    mobile       TEXT    NOT NULL,
    home_phone   TEXT    NOT NULL,
    other_phones TEXT    NOT NULL,        -- JSON list
    region       TEXT    NOT NULL,
    photo        INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX people_address ON people (address) WHERE gone = 0;
CREATE INDEX people_former_address ON people (address, gone);

CREATE TABLE photos (
    person INTEGER PRIMARY KEY REFERENCES people (id),
    small  BLOB NOT NULL,
    large  BLOB NOT NULL
);

CREATE TABLE passwords (
    person INTEGER PRIMARY KEY REFERENCES people (id),
    hash   TEXT NOT NULL
);

CREATE TABLE devices (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    person       INTEGER NOT NULL REFERENCES people (id),
    token        BLOB    NOT NULL UNIQUE, -- SHA-256 of the token
    class        INTEGER NOT NULL,
    name         TEXT    NOT NULL,
    installation TEXT    NOT NULL,
    created      INTEGER NOT NULL,
    last_used    INTEGER NOT NULL,
    auth_time    INTEGER NOT NULL,
    methods      TEXT    NOT NULL,        -- JSON list
    from_pos     INTEGER NOT NULL,
    cursor       INTEGER NOT NULL,
    waiting      INTEGER NOT NULL
);
CREATE INDEX devices_person ON devices (person);
CREATE INDEX devices_last_used ON devices (last_used);

-- Survives the device: the same person in the same installation gets it again.
CREATE TABLE history_keys (
    person       INTEGER NOT NULL REFERENCES people (id),
    installation TEXT    NOT NULL,
    history_key  BLOB    NOT NULL,
    PRIMARY KEY (person, installation)
) WITHOUT ROWID;

CREATE TABLE invitations (
    person  INTEGER PRIMARY KEY REFERENCES people (id),
    code    BLOB    NOT NULL UNIQUE,      -- SHA-256 of the code
    expires INTEGER NOT NULL
);

CREATE TABLE reset_requests (
    person INTEGER PRIMARY KEY REFERENCES people (id),
    at     INTEGER NOT NULL
);

CREATE TABLE relations (
    owner       INTEGER NOT NULL,
    other       INTEGER NOT NULL,
    level       INTEGER NOT NULL,
    in_contacts INTEGER NOT NULL,
    PRIMARY KEY (owner, other)
) WITHOUT ROWID;

CREATE TABLE preferences (
    person          INTEGER PRIMARY KEY,
    share_photo     INTEGER NOT NULL,
    only_contacts   INTEGER NOT NULL,
    share_time_zone INTEGER NOT NULL
);

CREATE TABLE choices (
    person     INTEGER PRIMARY KEY,
    state      TEXT    NOT NULL,
    set_at     INTEGER NOT NULL,          -- 0 in these columns: not set
    until      INTEGER NOT NULL,
    note       TEXT    NOT NULL,
    note_until INTEGER NOT NULL
);

CREATE TABLE jobs (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    kind     TEXT    NOT NULL,
    due      INTEGER NOT NULL,
    payload  BLOB    NOT NULL,
    leased   INTEGER NOT NULL DEFAULT 0,  -- until when somebody works on it
    attempts INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX jobs_due ON jobs (due);

CREATE TABLE audit (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    kind   INTEGER NOT NULL,              -- of the actor
    actor  INTEGER NOT NULL,              -- the actor's person
    device INTEGER NOT NULL,
    action TEXT    NOT NULL,
    person INTEGER NOT NULL,              -- whose data it touched
    detail TEXT    NOT NULL
);

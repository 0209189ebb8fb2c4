-- +goose Up

-- Whether a person wants to see the pictures of others.
ALTER TABLE preferences ADD COLUMN show_photos INTEGER NOT NULL DEFAULT 1;

-- The phone numbers that a person typed, in their order.
CREATE TABLE typed_phones (
    person INTEGER NOT NULL,
    place  INTEGER NOT NULL,                 -- from 1
    kind   INTEGER NOT NULL,                 -- parley.PhoneKind
    number TEXT    NOT NULL,                 -- with its country code
    PRIMARY KEY (person, place)
) WITHOUT ROWID;

-- The directory's groups. One that the directory has no longer keeps its row, and
-- nobody in it.
CREATE TABLE directory_groups (
    id          INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id <= 2147483647),
    source_id   TEXT    NOT NULL UNIQUE,
    directory   TEXT    NOT NULL,            -- as in people
    name        TEXT    NOT NULL,
    mail        TEXT    NOT NULL,
    description TEXT    NOT NULL,
    listed      INTEGER NOT NULL,            -- 0: it serves rules and is never shown
    gone        INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE directory_group_people (
    grp    INTEGER NOT NULL,                 -- directory_groups.id
    person INTEGER NOT NULL,
    PRIMARY KEY (grp, person)
) WITHOUT ROWID;

-- Groups inside groups, by the inner one's source_id, which may have no row yet.
CREATE TABLE directory_group_groups (
    grp    INTEGER NOT NULL,                 -- directory_groups.id
    source TEXT    NOT NULL,
    PRIMARY KEY (grp, source)
) WITHOUT ROWID;

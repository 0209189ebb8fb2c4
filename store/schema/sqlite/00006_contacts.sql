-- +goose Up

-- What of each person's Contacts list stands nowhere else. Who is a contact is said
-- by relations.in_contacts alone, also for people who are in no group.
CREATE TABLE contact_lists (
    owner      INTEGER PRIMARY KEY,
    version    INTEGER NOT NULL,              -- grows with every change of the list
    last_group INTEGER NOT NULL               -- the highest number that a group was given
);

CREATE TABLE contact_groups (
    owner  INTEGER NOT NULL,
    id     INTEGER NOT NULL,                  -- of the owner's groups, from 1; never given twice
    name   TEXT    NOT NULL,
    folded TEXT    NOT NULL,                  -- the name by which groups are told apart
    place  INTEGER NOT NULL,                  -- in the owner's order, from 1
    PRIMARY KEY (owner, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX contact_groups_name ON contact_groups (owner, folded);

-- Which groups a contact stands in.
CREATE TABLE contact_members (
    owner   INTEGER NOT NULL,
    contact INTEGER NOT NULL,                 -- a person; negative: a group of the directory
    grp     INTEGER NOT NULL,                 -- contact_groups.id; 0: the favourites
    PRIMARY KEY (owner, contact, grp)
) WITHOUT ROWID;

-- The groups of the directory that somebody has among their contacts.
CREATE TABLE contact_directory_groups (
    owner           INTEGER NOT NULL,
    directory_group INTEGER NOT NULL,
    PRIMARY KEY (owner, directory_group)
) WITHOUT ROWID;

-- When somebody was last told that they were added.
CREATE TABLE contact_notices (
    owner INTEGER NOT NULL,                   -- who added them
    other INTEGER NOT NULL,                   -- who was told
    at    INTEGER NOT NULL,
    PRIMARY KEY (owner, other)
) WITHOUT ROWID;

-- +goose Up

LOCK TABLE meta IN ACCESS EXCLUSIVE MODE;

-- What of each person's Contacts list stands nowhere else. Who is a contact is said
-- by relations.in_contacts alone, also for people who are in no group.
CREATE TABLE contact_lists (
    owner      BIGINT PRIMARY KEY,
    version    BIGINT NOT NULL,              -- grows with every change of the list
    last_group BIGINT NOT NULL               -- the highest number that a group was given
);

CREATE TABLE contact_groups (
    owner  BIGINT NOT NULL,
    id     BIGINT NOT NULL,                  -- of the owner's groups, from 1; never given twice
    name   TEXT   NOT NULL,
    folded TEXT   NOT NULL,                  -- the name by which groups are told apart
    place  BIGINT NOT NULL,                  -- in the owner's order, from 1
    PRIMARY KEY (owner, id)
);
CREATE UNIQUE INDEX contact_groups_name ON contact_groups (owner, folded);

-- Which groups a contact stands in.
CREATE TABLE contact_members (
    owner   BIGINT NOT NULL,
    contact BIGINT NOT NULL,                 -- a person; negative: a group of the directory
    grp     BIGINT NOT NULL,                 -- contact_groups.id; 0: the favourites
    PRIMARY KEY (owner, contact, grp)
);

-- The groups of the directory that somebody has among their contacts.
CREATE TABLE contact_directory_groups (
    owner           BIGINT NOT NULL,
    directory_group BIGINT NOT NULL,
    PRIMARY KEY (owner, directory_group)
);

-- When somebody was last told that they were added.
CREATE TABLE contact_notices (
    owner BIGINT NOT NULL,                   -- who added them
    other BIGINT NOT NULL,                   -- who was told
    at    BIGINT NOT NULL,
    PRIMARY KEY (owner, other)
);

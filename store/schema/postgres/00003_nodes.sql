-- +goose Up

-- Which nodes are there. A node that says nothing for a while is not.
CREATE TABLE nodes (
    name TEXT   PRIMARY KEY,
    seen BIGINT NOT NULL                 -- by the clock of the database
);

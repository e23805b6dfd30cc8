-- +goose Up
CREATE TABLE solutions      (id TEXT COLLATE "C" PRIMARY KEY, doc BYTEA NOT NULL);
CREATE TABLE intents        (id TEXT COLLATE "C" PRIMARY KEY, doc BYTEA NOT NULL);
CREATE TABLE certifications (id TEXT COLLATE "C" PRIMARY KEY, doc BYTEA NOT NULL);
CREATE TABLE invitations    (id TEXT COLLATE "C" PRIMARY KEY, doc BYTEA NOT NULL);

-- +goose Down
DROP TABLE invitations;
DROP TABLE certifications;
DROP TABLE intents;
DROP TABLE solutions;

-- +goose Up
CREATE TABLE solutions      (id TEXT PRIMARY KEY, doc BLOB NOT NULL);
CREATE TABLE intents        (id TEXT PRIMARY KEY, doc BLOB NOT NULL);
CREATE TABLE certifications (id TEXT PRIMARY KEY, doc BLOB NOT NULL);
CREATE TABLE invitations    (id TEXT PRIMARY KEY, doc BLOB NOT NULL);

-- +goose Down
DROP TABLE invitations;
DROP TABLE certifications;
DROP TABLE intents;
DROP TABLE solutions;

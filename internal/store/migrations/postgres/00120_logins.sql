-- +goose Up
CREATE TABLE logins (id TEXT COLLATE "C" PRIMARY KEY, doc BYTEA NOT NULL);

-- +goose Down
DROP TABLE logins;

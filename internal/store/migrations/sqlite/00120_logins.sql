-- +goose Up
CREATE TABLE logins (id TEXT PRIMARY KEY, doc BLOB NOT NULL);

-- +goose Down
DROP TABLE logins;

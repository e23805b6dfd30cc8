-- +goose Up
CREATE TABLE news (id TEXT PRIMARY KEY, doc BYTEA NOT NULL);

-- +goose Down
DROP TABLE news;

-- +goose Up
CREATE TABLE news (id TEXT PRIMARY KEY, doc BLOB NOT NULL);

-- +goose Down
DROP TABLE news;

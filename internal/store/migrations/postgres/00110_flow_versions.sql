-- +goose Up
CREATE TABLE flow_versions (id TEXT COLLATE "C" PRIMARY KEY, doc BYTEA NOT NULL);

-- +goose Down
DROP TABLE flow_versions;

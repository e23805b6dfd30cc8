-- +goose Up
CREATE TABLE flow_versions (id TEXT PRIMARY KEY, doc BLOB NOT NULL);

-- +goose Down
DROP TABLE flow_versions;

-- +goose Up
CREATE TABLE template_groups (id TEXT PRIMARY KEY, doc BLOB NOT NULL);

-- +goose Down
DROP TABLE template_groups;

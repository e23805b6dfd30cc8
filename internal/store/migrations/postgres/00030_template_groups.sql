-- +goose Up
CREATE TABLE template_groups (id TEXT COLLATE "C" PRIMARY KEY, doc BYTEA NOT NULL);

-- +goose Down
DROP TABLE template_groups;

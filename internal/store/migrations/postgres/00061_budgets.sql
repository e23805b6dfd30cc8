-- +goose Up
CREATE TABLE code_budgets (id TEXT COLLATE "C" PRIMARY KEY, doc BYTEA NOT NULL);

-- +goose Down
DROP TABLE code_budgets;

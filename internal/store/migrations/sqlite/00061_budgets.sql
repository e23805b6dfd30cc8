-- +goose Up
CREATE TABLE code_budgets (id TEXT PRIMARY KEY, doc BLOB NOT NULL);

-- +goose Down
DROP TABLE code_budgets;

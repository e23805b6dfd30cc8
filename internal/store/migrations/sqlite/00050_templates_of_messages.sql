-- +goose Up
-- Which template a message was made from, whether it went out while no customer service window was open, and what was last
-- delivered to a user: quality and analytics count by them.
ALTER TABLE messages ADD COLUMN template TEXT    NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN outside  INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pairs ADD COLUMN delivered_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pairs ADD COLUMN template     TEXT    NOT NULL DEFAULT '';
ALTER TABLE pairs ADD COLUMN template_at  INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE pairs DROP COLUMN template_at;
ALTER TABLE pairs DROP COLUMN template;
ALTER TABLE pairs DROP COLUMN delivered_at;
ALTER TABLE messages DROP COLUMN outside;
ALTER TABLE messages DROP COLUMN template;

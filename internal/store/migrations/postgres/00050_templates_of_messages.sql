-- +goose Up
-- Which template a message was made from, whether it went out while no customer service window was open, and what was last
-- delivered to a user: quality and analytics count by them.
ALTER TABLE messages ADD COLUMN template TEXT COLLATE "C" NOT NULL DEFAULT '', ADD COLUMN outside BIGINT NOT NULL DEFAULT 0;
ALTER TABLE pairs ADD COLUMN delivered_at BIGINT NOT NULL DEFAULT 0, ADD COLUMN template TEXT COLLATE "C" NOT NULL DEFAULT '',
  ADD COLUMN template_at BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE pairs DROP COLUMN template_at, DROP COLUMN template, DROP COLUMN delivered_at;
ALTER TABLE messages DROP COLUMN outside, DROP COLUMN template;

-- +goose Up
-- The number whose updates wait, when it is one without storage: they wait for an hour. Empty for all others.
ALTER TABLE webhook_pending ADD COLUMN brief TEXT COLLATE "C" NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE webhook_pending DROP COLUMN brief;

-- +goose Up
CREATE INDEX pairs_blocked ON pairs (number, wa_id) WHERE blocked_by_business = 1;

-- +goose Down
DROP INDEX pairs_blocked;

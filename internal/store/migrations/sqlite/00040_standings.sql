-- +goose Up
-- What a number and a user have come to and what changes rarely; pairs holds what changes with every message.
CREATE TABLE standings (
  wa_id       TEXT    NOT NULL,
  number      TEXT    NOT NULL,
  referral_at INTEGER NOT NULL,
  entry_at    INTEGER NOT NULL,
  hash        TEXT    NOT NULL,
  opted_out   INTEGER NOT NULL,
  moved_to    TEXT    NOT NULL,
  PRIMARY KEY (wa_id, number)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE standings;

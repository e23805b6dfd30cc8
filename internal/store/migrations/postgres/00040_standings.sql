-- +goose Up
-- What a number and a user have come to and what changes rarely; pairs holds what changes with every message.
CREATE TABLE standings (
  wa_id       TEXT COLLATE "C" NOT NULL,
  number      TEXT COLLATE "C" NOT NULL,
  referral_at BIGINT NOT NULL,
  entry_at    BIGINT NOT NULL,
  hash        TEXT COLLATE "C" NOT NULL,
  opted_out   BIGINT NOT NULL,
  moved_to    TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (wa_id, number)
);

-- +goose Down
DROP TABLE standings;

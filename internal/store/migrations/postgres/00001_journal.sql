-- +goose Up
CREATE TABLE positions (
  partition BIGINT PRIMARY KEY,
  position  BIGINT NOT NULL
);

-- n is the order of the journal within a partition. Old rows have the lowest n, so retention needs no index of its own.
CREATE TABLE messages (
  n             BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id            TEXT COLLATE "C" NOT NULL UNIQUE,
  partition     BIGINT NOT NULL,
  number        TEXT COLLATE "C" NOT NULL,
  waba          TEXT COLLATE "C" NOT NULL,
  wa_id         TEXT COLLATE "C" NOT NULL,
  state         BIGINT NOT NULL,
  type          TEXT COLLATE "C" NOT NULL,
  category      TEXT COLLATE "C" NOT NULL,
  pricing_type  TEXT COLLATE "C" NOT NULL,
  billable      BIGINT NOT NULL,
  priced_once   BIGINT NOT NULL,
  identity_hash TEXT COLLATE "C" NOT NULL,
  accepted_at   BIGINT NOT NULL,
  sent_at       BIGINT NOT NULL,
  delivered_at  BIGINT NOT NULL,
  read_at       BIGINT NOT NULL,
  played_at     BIGINT NOT NULL,
  failed_at     BIGINT NOT NULL,
  expires       BIGINT NOT NULL,
  code          BIGINT NOT NULL,
  attempt       BIGINT NOT NULL,
  device        TEXT COLLATE "C" NOT NULL,
  client_id     TEXT COLLATE "C" NOT NULL,
  opaque        BYTEA,
  content       BYTEA
);
-- These indexes are partial: a message that passed all its steps within one batch is in none of them.
CREATE INDEX messages_pending     ON messages (partition, n) WHERE state = 1;
CREATE INDEX messages_undelivered ON messages (wa_id, n) WHERE state = 3;
CREATE INDEX messages_expiring    ON messages (partition, expires) WHERE state = 3;
CREATE INDEX messages_client      ON messages (device, client_id) WHERE state = 9;

-- A user's state with a number is the row without a device; with each device there is a row with the session. They share a
-- table because most messages change both, and here both are on one page.
CREATE TABLE pairs (
  wa_id               TEXT COLLATE "C" NOT NULL,
  number              TEXT COLLATE "C" NOT NULL,
  device              TEXT COLLATE "C" NOT NULL,
  last_inbound        BIGINT NOT NULL DEFAULT 0,
  pair_start          BIGINT NOT NULL DEFAULT 0,
  pair_count          BIGINT NOT NULL DEFAULT 0,
  blocked_by_user     BIGINT,
  blocked_by_business BIGINT,
  last_seq            BIGINT NOT NULL DEFAULT 0,
  state               BYTEA,
  PRIMARY KEY (wa_id, number, device)
);

CREATE TABLE mailbox (
  device  TEXT COLLATE "C" NOT NULL,
  seq     BIGINT NOT NULL,
  id      TEXT COLLATE "C" NOT NULL,
  number  TEXT COLLATE "C" NOT NULL,
  at      BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  prekey  BIGINT NOT NULL,
  silent  BIGINT NOT NULL,
  cipher  BYTEA,
  event   BYTEA,
  PRIMARY KEY (device, seq)
);

-- +goose Down
DROP TABLE mailbox;
DROP TABLE pairs;
DROP TABLE messages;
DROP TABLE positions;

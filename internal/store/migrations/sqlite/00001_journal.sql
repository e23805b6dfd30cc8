-- +goose Up
CREATE TABLE positions (
  partition INTEGER PRIMARY KEY,
  position  INTEGER NOT NULL
);

-- n is the order of the journal within a partition. Old rows have the lowest n, so retention needs no index of its own.
-- hid is a hash of id: an index of 8-byte integers is a quarter of one of ids, and ids come in no order, so every row
-- touches a page of its own.
CREATE TABLE messages (
  n             INTEGER PRIMARY KEY,
  id            TEXT    NOT NULL,
  hid           INTEGER NOT NULL,
  partition     INTEGER NOT NULL,
  number        TEXT    NOT NULL,
  waba          TEXT    NOT NULL,
  wa_id         TEXT    NOT NULL,
  state         INTEGER NOT NULL,
  type          TEXT    NOT NULL,
  category      TEXT    NOT NULL,
  pricing_type  TEXT    NOT NULL,
  billable      INTEGER NOT NULL,
  priced_once   INTEGER NOT NULL,
  identity_hash TEXT    NOT NULL,
  accepted_at   INTEGER NOT NULL,
  sent_at       INTEGER NOT NULL,
  delivered_at  INTEGER NOT NULL,
  read_at       INTEGER NOT NULL,
  played_at     INTEGER NOT NULL,
  failed_at     INTEGER NOT NULL,
  expires       INTEGER NOT NULL,
  code          INTEGER NOT NULL,
  attempt       INTEGER NOT NULL,
  device        TEXT    NOT NULL,
  client_id     TEXT    NOT NULL,
  opaque        BLOB,
  content       BLOB
);
CREATE INDEX messages_hid ON messages (hid);
-- These indexes are partial: a message that passed all its steps within one batch is in none of them.
CREATE INDEX messages_pending     ON messages (partition, n) WHERE state = 1;
CREATE INDEX messages_undelivered ON messages (wa_id, n) WHERE state = 3;
CREATE INDEX messages_expiring    ON messages (partition, expires) WHERE state = 3;
CREATE INDEX messages_client      ON messages (device, client_id) WHERE state = 9;

-- A user's state with a number is the row without a device; with each device there is a row with the session. They share a
-- table because most messages change both, and here both are on one page.
CREATE TABLE pairs (
  wa_id               TEXT    NOT NULL,
  number              TEXT    NOT NULL,
  device              TEXT    NOT NULL,
  last_inbound        INTEGER NOT NULL DEFAULT 0,
  pair_start          INTEGER NOT NULL DEFAULT 0,
  pair_count          INTEGER NOT NULL DEFAULT 0,
  blocked_by_user     INTEGER,
  blocked_by_business INTEGER,
  last_seq            INTEGER NOT NULL DEFAULT 0,
  state               BLOB,
  PRIMARY KEY (wa_id, number, device)
) WITHOUT ROWID;

CREATE TABLE mailbox (
  device  TEXT    NOT NULL,
  seq     INTEGER NOT NULL,
  id      TEXT    NOT NULL,
  number  TEXT    NOT NULL,
  at      INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  prekey  INTEGER NOT NULL,
  silent  INTEGER NOT NULL,
  cipher  BLOB,
  event   BLOB,
  PRIMARY KEY (device, seq)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE mailbox;
DROP TABLE pairs;
DROP TABLE messages;
DROP TABLE positions;

-- +goose Up
CREATE TABLE data_keys (
  id      INTEGER PRIMARY KEY,
  class   TEXT    NOT NULL,
  scope   TEXT    NOT NULL,
  begins  INTEGER NOT NULL,
  ends    INTEGER NOT NULL,
  created INTEGER NOT NULL,
  wrapped BLOB
);

CREATE TABLE number_keys (
  number TEXT PRIMARY KEY,
  sealed BLOB
) WITHOUT ROWID;

CREATE TABLE number_one_time (
  number  TEXT    NOT NULL,
  id      INTEGER NOT NULL,
  sealed  BLOB,
  created INTEGER NOT NULL,
  PRIMARY KEY (number, id)
) WITHOUT ROWID;

CREATE TABLE portfolios   (id TEXT PRIMARY KEY, doc BLOB NOT NULL);
CREATE TABLE wabas        (id TEXT PRIMARY KEY, doc BLOB NOT NULL);
CREATE TABLE numbers      (id TEXT PRIMARY KEY, doc BLOB NOT NULL);
CREATE TABLE templates    (id TEXT PRIMARY KEY, doc BLOB NOT NULL);
CREATE TABLE apps         (id TEXT PRIMARY KEY, doc BLOB NOT NULL);
CREATE TABLE system_users (id TEXT PRIMARY KEY, doc BLOB NOT NULL);
CREATE TABLE people       (id TEXT PRIMARY KEY, doc BLOB NOT NULL);
CREATE TABLE tokens       (id TEXT PRIMARY KEY, doc BLOB NOT NULL);

CREATE TABLE subscriptions (app TEXT PRIMARY KEY, doc BLOB NOT NULL);
CREATE TABLE links (
  app  TEXT NOT NULL,
  waba TEXT NOT NULL,
  doc  BLOB NOT NULL,
  PRIMARY KEY (app, waba)
);
CREATE TABLE number_overrides (
  app    TEXT NOT NULL,
  number TEXT NOT NULL,
  waba   TEXT NOT NULL,
  doc    BLOB NOT NULL,
  PRIMARY KEY (app, number)
);

CREATE TABLE webhook_cursors (
  app       TEXT    NOT NULL,
  scope     TEXT    NOT NULL,
  partition INTEGER NOT NULL,
  seq       INTEGER NOT NULL,
  PRIMARY KEY (app, scope, partition)
) WITHOUT ROWID;

CREATE TABLE webhook_pending (
  id       TEXT PRIMARY KEY,
  app      TEXT    NOT NULL,
  scope    TEXT    NOT NULL,
  waba     TEXT    NOT NULL,
  message  TEXT    NOT NULL,
  updates  INTEGER NOT NULL,
  born     INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  status   INTEGER NOT NULL,
  next     INTEGER NOT NULL,
  body     BLOB
);
CREATE INDEX webhook_pending_next ON webhook_pending (app, scope, next);

CREATE TABLE users (
  id            TEXT PRIMARY KEY,
  wa_id         TEXT    NOT NULL UNIQUE,
  generation    INTEGER NOT NULL,
  name          TEXT    NOT NULL,
  username      TEXT    NOT NULL,
  hide_reads    INTEGER NOT NULL,
  identity_hash TEXT    NOT NULL,
  pin           BLOB,
  pin_tries     INTEGER NOT NULL,
  pin_pause     INTEGER NOT NULL,
  created       INTEGER NOT NULL,
  seen          INTEGER NOT NULL
);

CREATE TABLE devices (
  id              TEXT PRIMARY KEY,
  owner           TEXT    NOT NULL,
  number          INTEGER NOT NULL,
  name            TEXT    NOT NULL,
  platform        TEXT    NOT NULL,
  identity_key    BLOB    NOT NULL,
  auth_key        BLOB,
  registration_id INTEGER NOT NULL,
  signed_at       INTEGER NOT NULL,
  base            INTEGER NOT NULL,
  created         INTEGER NOT NULL,
  seen            INTEGER NOT NULL,
  signed_id       INTEGER NOT NULL DEFAULT 0,
  signed_key      BLOB,
  signed_sig      BLOB,
  kem_id          INTEGER NOT NULL DEFAULT 0,
  kem_key         BLOB,
  kem_sig         BLOB
);
CREATE INDEX devices_owner ON devices (owner, number);

CREATE TABLE prekeys (
  device TEXT    NOT NULL,
  id     INTEGER NOT NULL,
  public BLOB,
  PRIMARY KEY (device, id)
) WITHOUT ROWID;

CREATE TABLE codes (
  id      TEXT PRIMARY KEY,
  phone   TEXT    NOT NULL,
  salt    BLOB,
  hash    BLOB,
  tries   INTEGER NOT NULL,
  expires INTEGER NOT NULL
);

-- +goose Down
DROP TABLE codes;
DROP TABLE prekeys;
DROP TABLE devices;
DROP TABLE users;
DROP TABLE webhook_pending;
DROP TABLE webhook_cursors;
DROP TABLE number_overrides;
DROP TABLE links;
DROP TABLE subscriptions;
DROP TABLE tokens;
DROP TABLE people;
DROP TABLE system_users;
DROP TABLE apps;
DROP TABLE templates;
DROP TABLE numbers;
DROP TABLE wabas;
DROP TABLE portfolios;
DROP TABLE number_one_time;
DROP TABLE number_keys;
DROP TABLE data_keys;

-- +goose Up
CREATE TABLE data_keys (
  id      BIGINT PRIMARY KEY,
  class   TEXT COLLATE "C" NOT NULL,
  scope   TEXT COLLATE "C" NOT NULL,
  begins  BIGINT NOT NULL,
  ends    BIGINT NOT NULL,
  created BIGINT NOT NULL,
  wrapped BYTEA
);

CREATE TABLE number_keys (
  number TEXT COLLATE "C" PRIMARY KEY,
  sealed BYTEA
);

CREATE TABLE number_one_time (
  number  TEXT COLLATE "C" NOT NULL,
  id      BIGINT NOT NULL,
  sealed  BYTEA,
  created BIGINT NOT NULL,
  PRIMARY KEY (number, id)
);

CREATE TABLE portfolios   (id TEXT COLLATE "C" PRIMARY KEY, doc BYTEA NOT NULL);
CREATE TABLE wabas        (id TEXT COLLATE "C" PRIMARY KEY, doc BYTEA NOT NULL);
CREATE TABLE numbers      (id TEXT COLLATE "C" PRIMARY KEY, doc BYTEA NOT NULL);
CREATE TABLE templates    (id TEXT COLLATE "C" PRIMARY KEY, doc BYTEA NOT NULL);
CREATE TABLE apps         (id TEXT COLLATE "C" PRIMARY KEY, doc BYTEA NOT NULL);
CREATE TABLE system_users (id TEXT COLLATE "C" PRIMARY KEY, doc BYTEA NOT NULL);
CREATE TABLE people       (id TEXT COLLATE "C" PRIMARY KEY, doc BYTEA NOT NULL);
CREATE TABLE tokens       (id TEXT COLLATE "C" PRIMARY KEY, doc BYTEA NOT NULL);

CREATE TABLE subscriptions (app TEXT COLLATE "C" PRIMARY KEY, doc BYTEA NOT NULL);
CREATE TABLE links (
  app  TEXT COLLATE "C" NOT NULL,
  waba TEXT COLLATE "C" NOT NULL,
  doc  BYTEA NOT NULL,
  PRIMARY KEY (app, waba)
);
CREATE TABLE number_overrides (
  app    TEXT COLLATE "C" NOT NULL,
  number TEXT COLLATE "C" NOT NULL,
  waba   TEXT COLLATE "C" NOT NULL,
  doc    BYTEA NOT NULL,
  PRIMARY KEY (app, number)
);

CREATE TABLE webhook_cursors (
  app       TEXT COLLATE "C" NOT NULL,
  scope     TEXT COLLATE "C" NOT NULL,
  partition BIGINT NOT NULL,
  seq       BIGINT NOT NULL,
  PRIMARY KEY (app, scope, partition)
);

CREATE TABLE webhook_pending (
  id       TEXT COLLATE "C" PRIMARY KEY,
  app      TEXT COLLATE "C" NOT NULL,
  scope    TEXT COLLATE "C" NOT NULL,
  waba     TEXT COLLATE "C" NOT NULL,
  message  TEXT COLLATE "C" NOT NULL,
  updates  BIGINT NOT NULL,
  born     BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  status   BIGINT NOT NULL,
  next     BIGINT NOT NULL,
  body     BYTEA
);
CREATE INDEX webhook_pending_next ON webhook_pending (app, scope, next);

CREATE TABLE users (
  id            TEXT COLLATE "C" PRIMARY KEY,
  wa_id         TEXT COLLATE "C" NOT NULL UNIQUE,
  generation    BIGINT NOT NULL,
  name          TEXT COLLATE "C" NOT NULL,
  username      TEXT COLLATE "C" NOT NULL,
  hide_reads    BIGINT NOT NULL,
  identity_hash TEXT COLLATE "C" NOT NULL,
  pin           BYTEA,
  pin_tries     BIGINT NOT NULL,
  pin_pause     BIGINT NOT NULL,
  created       BIGINT NOT NULL,
  seen          BIGINT NOT NULL
);

CREATE TABLE devices (
  id              TEXT COLLATE "C" PRIMARY KEY,
  owner           TEXT COLLATE "C" NOT NULL,
  number          BIGINT NOT NULL,
  name            TEXT COLLATE "C" NOT NULL,
  platform        TEXT COLLATE "C" NOT NULL,
  identity_key    BYTEA    NOT NULL,
  auth_key        BYTEA,
  registration_id BIGINT NOT NULL,
  signed_at       BIGINT NOT NULL,
  base            BIGINT NOT NULL,
  created         BIGINT NOT NULL,
  seen            BIGINT NOT NULL,
  signed_id       BIGINT NOT NULL DEFAULT 0,
  signed_key      BYTEA,
  signed_sig      BYTEA,
  kem_id          BIGINT NOT NULL DEFAULT 0,
  kem_key         BYTEA,
  kem_sig         BYTEA
);
CREATE INDEX devices_owner ON devices (owner, number);

CREATE TABLE prekeys (
  device TEXT COLLATE "C" NOT NULL,
  id     BIGINT NOT NULL,
  public BYTEA,
  PRIMARY KEY (device, id)
);

CREATE TABLE codes (
  id      TEXT COLLATE "C" PRIMARY KEY,
  phone   TEXT COLLATE "C" NOT NULL,
  salt    BYTEA,
  hash    BYTEA,
  tries   BIGINT NOT NULL,
  expires BIGINT NOT NULL
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

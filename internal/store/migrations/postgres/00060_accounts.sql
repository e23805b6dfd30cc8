-- +goose Up
CREATE TABLE qr_codes    (id TEXT COLLATE "C" PRIMARY KEY, doc BYTEA NOT NULL);
CREATE TABLE preverified (id TEXT COLLATE "C" PRIMARY KEY, doc BYTEA NOT NULL);
CREATE TABLE notices     (id TEXT COLLATE "C" PRIMARY KEY, doc BYTEA NOT NULL);
CREATE TABLE pictures    (id TEXT COLLATE "C" PRIMARY KEY, type TEXT COLLATE "C" NOT NULL, data BYTEA NOT NULL);
CREATE TABLE activities (
  id   TEXT COLLATE "C" PRIMARY KEY,
  waba TEXT COLLATE "C" NOT NULL,
  at   BIGINT NOT NULL,
  type TEXT COLLATE "C" NOT NULL,
  doc  BYTEA  NOT NULL
);
CREATE INDEX activities_waba ON activities (waba, id);

-- +goose Down
DROP TABLE activities;
DROP TABLE pictures;
DROP TABLE notices;
DROP TABLE preverified;
DROP TABLE qr_codes;

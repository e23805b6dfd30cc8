-- +goose Up
CREATE TABLE media (
  id      TEXT    PRIMARY KEY,
  waba    TEXT    NOT NULL,
  number  TEXT    NOT NULL,
  blob    TEXT    NOT NULL,
  expires INTEGER NOT NULL,
  sealed  BLOB    NOT NULL
) WITHOUT ROWID;
CREATE INDEX media_expires ON media (expires);

CREATE TABLE blobs (
  id      TEXT    PRIMARY KEY,
  size    INTEGER NOT NULL,
  owner   TEXT    NOT NULL,
  expires INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX blobs_expires ON blobs (expires);

CREATE TABLE uploads (
  id      TEXT    PRIMARY KEY,
  app     TEXT    NOT NULL,
  parts   INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  sealed  BLOB    NOT NULL
);
CREATE INDEX uploads_expires ON uploads (expires);

-- +goose Down
DROP TABLE uploads;
DROP TABLE blobs;
DROP TABLE media;

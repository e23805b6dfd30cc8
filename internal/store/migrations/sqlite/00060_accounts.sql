-- +goose Up
CREATE TABLE qr_codes    (id TEXT PRIMARY KEY, doc BLOB NOT NULL);
CREATE TABLE preverified (id TEXT PRIMARY KEY, doc BLOB NOT NULL);
CREATE TABLE notices     (id TEXT PRIMARY KEY, doc BLOB NOT NULL);
CREATE TABLE pictures    (id TEXT PRIMARY KEY, type TEXT NOT NULL, data BLOB NOT NULL);
CREATE TABLE activities (
  id   TEXT    PRIMARY KEY,
  waba TEXT    NOT NULL,
  at   INTEGER NOT NULL,
  type TEXT    NOT NULL,
  doc  BLOB    NOT NULL
);
CREATE INDEX activities_waba ON activities (waba, id);

-- +goose Down
DROP TABLE activities;
DROP TABLE pictures;
DROP TABLE notices;
DROP TABLE preverified;
DROP TABLE qr_codes;

-- +goose Up
CREATE TABLE media (
  id      TEXT COLLATE "C" PRIMARY KEY,
  waba    TEXT COLLATE "C" NOT NULL,
  number  TEXT COLLATE "C" NOT NULL,
  blob    TEXT COLLATE "C" NOT NULL,
  expires BIGINT NOT NULL,
  sealed  BYTEA   NOT NULL
);
CREATE INDEX media_expires ON media (expires);

CREATE TABLE blobs (
  id      TEXT COLLATE "C" PRIMARY KEY,
  size    BIGINT NOT NULL,
  owner   TEXT COLLATE "C" NOT NULL,
  expires BIGINT NOT NULL
);
CREATE INDEX blobs_expires ON blobs (expires);

CREATE TABLE uploads (
  id      TEXT COLLATE "C" PRIMARY KEY,
  app     TEXT COLLATE "C" NOT NULL,
  parts   BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  sealed  BYTEA   NOT NULL
);
CREATE INDEX uploads_expires ON uploads (expires);

-- +goose Down
DROP TABLE uploads;
DROP TABLE blobs;
DROP TABLE media;

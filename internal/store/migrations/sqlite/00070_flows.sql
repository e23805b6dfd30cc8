-- +goose Up
CREATE TABLE flows (id TEXT PRIMARY KEY, doc BLOB NOT NULL);

-- The documents of flows, sealed. A flow has its draft and what is live.
CREATE TABLE flow_json (
  flow   TEXT    NOT NULL,
  n      INTEGER NOT NULL,
  sealed BLOB    NOT NULL,
  PRIMARY KEY (flow, n)
);

CREATE TABLE flow_counts (
  flow TEXT    NOT NULL,
  hour INTEGER NOT NULL,
  what TEXT    NOT NULL,
  n    INTEGER NOT NULL,
  PRIMARY KEY (flow, hour, what)
) WITHOUT ROWID;
CREATE INDEX flow_counts_hour ON flow_counts (hour);

-- +goose Down
DROP TABLE flow_counts;
DROP TABLE flow_json;
DROP TABLE flows;

-- +goose Up
CREATE TABLE flows (id TEXT COLLATE "C" PRIMARY KEY, doc BYTEA NOT NULL);

-- The documents of flows, sealed. A flow has its draft and what is live.
CREATE TABLE flow_json (
  flow   TEXT COLLATE "C" NOT NULL,
  n      BIGINT           NOT NULL,
  sealed BYTEA            NOT NULL,
  PRIMARY KEY (flow, n)
);

CREATE TABLE flow_counts (
  flow TEXT COLLATE "C" NOT NULL,
  hour BIGINT           NOT NULL,
  what TEXT COLLATE "C" NOT NULL,
  n    BIGINT           NOT NULL,
  PRIMARY KEY (flow, hour, what)
);
CREATE INDEX flow_counts_hour ON flow_counts (hour);

-- +goose Down
DROP TABLE flow_counts;
DROP TABLE flow_json;
DROP TABLE flows;

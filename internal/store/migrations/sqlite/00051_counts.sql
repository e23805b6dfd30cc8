-- +goose Up
CREATE TABLE counts (
  subject TEXT    NOT NULL,
  what    TEXT    NOT NULL,
  bucket  INTEGER NOT NULL,
  number  TEXT    NOT NULL,
  country TEXT    NOT NULL,
  n       INTEGER NOT NULL,
  PRIMARY KEY (subject, what, bucket, number, country)
) WITHOUT ROWID;

-- Who was reached outside of a customer service window, by the number that did it.
CREATE TABLE reached (
  number  TEXT    NOT NULL,
  wa_id   TEXT    NOT NULL,
  at      INTEGER NOT NULL,
  counted INTEGER NOT NULL,
  PRIMARY KEY (number, wa_id)
) WITHOUT ROWID;
CREATE INDEX reached_at ON reached (number, at);

CREATE TABLE marketing (
  at     INTEGER NOT NULL,
  wa_id  TEXT    NOT NULL,
  number TEXT    NOT NULL,
  PRIMARY KEY (at, wa_id, number)
) WITHOUT ROWID;

CREATE TABLE charges (
  id       TEXT PRIMARY KEY,
  waba     TEXT    NOT NULL,
  number   TEXT    NOT NULL,
  wa_id    TEXT    NOT NULL,
  market   TEXT    NOT NULL,
  category TEXT    NOT NULL,
  template TEXT    NOT NULL,
  at       INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX charges_waba ON charges (waba, at);

CREATE TABLE feedback (
  n        INTEGER PRIMARY KEY,
  number   TEXT    NOT NULL,
  waba     TEXT    NOT NULL,
  template TEXT    NOT NULL,
  wa_id    TEXT    NOT NULL,
  at       INTEGER NOT NULL,
  what     TEXT    NOT NULL,
  reason   TEXT    NOT NULL,
  light    INTEGER NOT NULL
);
CREATE INDEX feedback_number   ON feedback (number, at);
CREATE INDEX feedback_template ON feedback (template, at);

CREATE TABLE policy (id TEXT PRIMARY KEY, doc BLOB NOT NULL);

-- +goose Down
DROP TABLE policy;
DROP TABLE feedback;
DROP TABLE charges;
DROP TABLE marketing;
DROP TABLE reached;
DROP TABLE counts;

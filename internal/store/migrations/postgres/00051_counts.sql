-- +goose Up
CREATE TABLE counts (
  subject TEXT COLLATE "C" NOT NULL,
  what    TEXT COLLATE "C" NOT NULL,
  bucket  BIGINT NOT NULL,
  number  TEXT COLLATE "C" NOT NULL,
  country TEXT COLLATE "C" NOT NULL,
  n       BIGINT NOT NULL,
  PRIMARY KEY (subject, what, bucket, number, country)
);

-- Who was reached outside of a customer service window, by the number that did it.
CREATE TABLE reached (
  number  TEXT COLLATE "C" NOT NULL,
  wa_id   TEXT COLLATE "C" NOT NULL,
  at      BIGINT NOT NULL,
  counted BIGINT NOT NULL,
  PRIMARY KEY (number, wa_id)
);
CREATE INDEX reached_at ON reached (number, at);

CREATE TABLE marketing (
  at     BIGINT NOT NULL,
  wa_id  TEXT COLLATE "C" NOT NULL,
  number TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (at, wa_id, number)
);

CREATE TABLE charges (
  id       TEXT COLLATE "C" PRIMARY KEY,
  waba     TEXT COLLATE "C" NOT NULL,
  number   TEXT COLLATE "C" NOT NULL,
  wa_id    TEXT COLLATE "C" NOT NULL,
  market   TEXT COLLATE "C" NOT NULL,
  category TEXT COLLATE "C" NOT NULL,
  template TEXT COLLATE "C" NOT NULL,
  at       BIGINT NOT NULL
);
CREATE INDEX charges_waba ON charges (waba, at);

CREATE TABLE feedback (
  n        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  number   TEXT COLLATE "C" NOT NULL,
  waba     TEXT COLLATE "C" NOT NULL,
  template TEXT COLLATE "C" NOT NULL,
  wa_id    TEXT COLLATE "C" NOT NULL,
  at       BIGINT NOT NULL,
  what     TEXT COLLATE "C" NOT NULL,
  reason   TEXT COLLATE "C" NOT NULL,
  light    BIGINT NOT NULL
);
CREATE INDEX feedback_number   ON feedback (number, at);
CREATE INDEX feedback_template ON feedback (template, at);

CREATE TABLE policy (id TEXT COLLATE "C" PRIMARY KEY, doc BYTEA NOT NULL);

-- +goose Down
DROP TABLE policy;
DROP TABLE feedback;
DROP TABLE charges;
DROP TABLE marketing;
DROP TABLE reached;
DROP TABLE counts;

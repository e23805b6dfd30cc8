-- +goose Up
-- What users did about messages for the first time: mark 0 is an answer, else the button whose link was opened.
CREATE TABLE engaged (
  id   TEXT COLLATE "C" NOT NULL,
  mark BIGINT NOT NULL,
  at   BIGINT NOT NULL,
  PRIMARY KEY (id, mark)
);
CREATE INDEX engaged_at ON engaged (at);

-- +goose Down
DROP TABLE engaged;

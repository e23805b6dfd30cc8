-- +goose Up
-- What users did about messages for the first time: mark 0 is an answer, else the button whose link was opened.
CREATE TABLE engaged (
  id   TEXT    NOT NULL,
  mark INTEGER NOT NULL,
  at   INTEGER NOT NULL,
  PRIMARY KEY (id, mark)
) WITHOUT ROWID;
CREATE INDEX engaged_at ON engaged (at);

-- +goose Down
DROP TABLE engaged;

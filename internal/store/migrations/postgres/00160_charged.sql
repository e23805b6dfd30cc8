-- +goose Up
-- How many charges there are of a kind in each quarter of an hour (Unix milliseconds): a start adds these up, not the ledger.
CREATE TABLE charged (
  waba     TEXT COLLATE "C" NOT NULL,
  bucket   BIGINT NOT NULL,
  number   TEXT COLLATE "C" NOT NULL,
  market   TEXT COLLATE "C" NOT NULL,
  category TEXT COLLATE "C" NOT NULL,
  n        BIGINT NOT NULL,
  PRIMARY KEY (waba, bucket, number, market, category)
);
INSERT INTO charged SELECT waba, at / 900000 * 900000, number, market, category, count(*) FROM charges GROUP BY 1, 2, 3, 4, 5;

-- +goose Down
DROP TABLE charged;

-- Version 3: what is counted is summed up by the minute, too, for windows that begin or end within an hour.

CREATE TABLE minutes (
  dimension TEXT    NOT NULL,                 -- by what, as in sums
  minute_us INTEGER NOT NULL,                 -- when the minute begins
  keys      TEXT,                             -- JSON, by key: r requests, e errors, n long_running, b begun, d ended, v verbs,
                                              -- t first and last in microseconds of the minute, m max_micros, l latency: each
                                              -- bucket and its count; what is missing is 0. NULL if the keys are too many
  PRIMARY KEY (dimension, minute_us)
) STRICT, WITHOUT ROWID;

-- Events that were kept before are in no minute.
INSERT INTO settings (name, value)
SELECT 'minutes_from_us', CAST((last / 60000000 + 1) * 60000000 AS TEXT)
FROM (SELECT max(stage_us) AS last FROM records) WHERE last IS NOT NULL;

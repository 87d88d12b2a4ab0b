-- Version 2: what is asked of a name or a user is found by kind and time in the index alone, and what failed has one of its own.

DROP INDEX records_by_name;
DROP INDEX records_by_user;
CREATE INDEX records_by_name ON records (name, namespace, kind, stage_us);
CREATE INDEX records_by_user ON records (username, kind, stage_us);
CREATE INDEX records_by_failure ON records (kind, code, namespace, name, stage_us) WHERE code >= 400;

-- What is counted of the events that are kept, by the hour, of those hours that begin at the setting summed_from_us or later.
CREATE TABLE sums (
  dimension    TEXT    NOT NULL,              -- by what: users, verbs, resources, namespaces, clients, codes, hosts, or apis
  hour_us      INTEGER NOT NULL,              -- when the hour begins
  key          TEXT    NOT NULL,              -- the user, verb …; of apis several parts with U+001F between them
  requests     INTEGER NOT NULL,              -- that were answered
  errors       INTEGER NOT NULL,              -- of these with a status of 400 or more
  long_running INTEGER NOT NULL,              -- of these that last as long as the client wants
  begun        INTEGER NOT NULL,              -- long-running requests whose start was met
  ended        INTEGER NOT NULL,              -- long-running requests whose good end was met
  verbs        INTEGER NOT NULL,              -- bits: get, list, watch, create, update, patch, delete, deletecollection, other
  first_us     INTEGER,                       -- stage time of the earliest entry
  last_us      INTEGER,                       -- stage time of the latest entry
  max_micros   INTEGER NOT NULL,              -- the longest request that is not long-running
  latency      BLOB    NOT NULL,              -- how long those took: for each bucket its number (2 bytes, little endian) and count (4)
  PRIMARY KEY (dimension, hour_us, key)
) STRICT, WITHOUT ROWID;

-- Events that were kept before are in no sum.
INSERT INTO settings (name, value)
SELECT 'summed_from_us', CAST((last / 3600000000 + 1) * 3600000000 AS TEXT)
FROM (SELECT max(stage_us) AS last FROM records) WHERE last IS NOT NULL;

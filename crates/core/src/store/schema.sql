-- Version 1. Times are microseconds since 1970 UTC, offsets and lengths decompressed bytes.

-- One file's content, through renames and compression.
CREATE TABLE generations (
  id          INTEGER PRIMARY KEY,
  source      TEXT    NOT NULL,             -- the file that the API server writes: folder and name without rotation
  path        TEXT    NOT NULL,             -- where the content was read last
  encoding    TEXT    NOT NULL,             -- plain, gzip or zstd
  device      INTEGER NOT NULL,             -- of the file at path, as are the next three
  inode       INTEGER NOT NULL,
  size        INTEGER NOT NULL,             -- bytes on disk
  modified_ns INTEGER NOT NULL,             -- nanoseconds since 1970 UTC
  head_skip   INTEGER NOT NULL,             -- NULs before the head
  head_length INTEGER NOT NULL,             -- bytes of the head: its first lines
  head_hash   BLOB    NOT NULL,             -- SHA-256 of the head
  start       INTEGER NOT NULL DEFAULT 0,   -- where reading began
  offset      INTEGER NOT NULL DEFAULT 0,   -- what is in front of it is committed
  tail_length INTEGER NOT NULL DEFAULT 0,   -- bytes of the last record in front of the offset
  tail_hash   BLOB    NOT NULL DEFAULT x'', -- SHA-256 of these
  state       TEXT    NOT NULL DEFAULT 'growing' CHECK (state IN ('growing', 'final', 'gone')),
  -- What became of the bytes between the two.
  keep        TEXT,                         -- which events were kept: all, or the notable ones; NULL if none were read
  lines       INTEGER NOT NULL DEFAULT 0,   -- lines that hold an entry
  kept        INTEGER NOT NULL DEFAULT 0,   -- events that are in records, or were until they grew old
  entry_bytes INTEGER NOT NULL DEFAULT 0,   -- bytes of lines that hold an entry
  bad_bytes   INTEGER NOT NULL DEFAULT 0,   -- bytes in bad_spans
  bad_lines   INTEGER NOT NULL DEFAULT 0,   -- lines and runs of NULs in bad_spans
  blank_bytes INTEGER NOT NULL DEFAULT 0,   -- line ends, white space, byte order marks
  first_us    INTEGER,                      -- stage time of the earliest entry
  last_us     INTEGER                       -- stage time of the latest entry
) STRICT;
CREATE INDEX generations_by_head ON generations (head_hash);

-- Bytes that are lost: where reading had come to when the content went away.
CREATE TABLE gaps (
  generation INTEGER NOT NULL REFERENCES generations (id),
  offset     INTEGER NOT NULL,
  length     INTEGER,                       -- NULL if unknown
  reason     TEXT    NOT NULL,
  PRIMARY KEY (generation, offset)
) STRICT, WITHOUT ROWID;

-- Bytes that are no entry.
CREATE TABLE bad_spans (
  generation INTEGER NOT NULL REFERENCES generations (id),
  offset     INTEGER NOT NULL,
  length     INTEGER NOT NULL,
  reason     TEXT    NOT NULL,
  sha256     BLOB,                          -- NULL where the bytes were not held
  PRIMARY KEY (generation, offset)
) STRICT, WITHOUT ROWID;

-- When there were entries: runs of them that follow each other within a minute.
CREATE TABLE runs (
  generation   INTEGER NOT NULL REFERENCES generations (id),
  first_us     INTEGER NOT NULL,
  first_offset INTEGER NOT NULL,
  last_us      INTEGER NOT NULL,
  last_offset  INTEGER NOT NULL,
  PRIMARY KEY (generation, first_us)
) STRICT, WITHOUT ROWID;

-- What repeats in events is stored once: names of users, objects and programs.
CREATE TABLE words (
  id       INTEGER PRIMARY KEY,
  word     TEXT    NOT NULL UNIQUE,
  until_us INTEGER NOT NULL                 -- it is in no event of a later stage time
) STRICT;

CREATE INDEX words_by_until ON words (until_us);

-- What was asked of which resource, and what was logged of it: of all events, kept or not. resource is empty where the
-- request is about none.
CREATE TABLE kinds (
  id          INTEGER PRIMARY KEY,
  resource    TEXT    NOT NULL,
  verb        TEXT    NOT NULL,
  api_group   TEXT    NOT NULL,
  subresource TEXT    NOT NULL,
  stage       TEXT    NOT NULL,
  level       TEXT    NOT NULL,
  until_us    INTEGER NOT NULL,             -- as in words
  UNIQUE (resource, verb, api_group, subresource, stage, level)
) STRICT;

-- What lines are compressed with.
CREATE TABLE dictionaries (
  id      INTEGER PRIMARY KEY,
  content BLOB    NOT NULL
) STRICT;

-- The events that are kept.
CREATE TABLE records (
  id          INTEGER PRIMARY KEY,
  generation  INTEGER NOT NULL REFERENCES generations (id),
  offset      INTEGER NOT NULL,
  part        INTEGER NOT NULL,             -- which one of the events at that address: mostly 0, the only one
  length      INTEGER NOT NULL,
  stage_us    INTEGER,
  received_us INTEGER,
  kind        INTEGER NOT NULL REFERENCES kinds (id),
  namespace   INTEGER REFERENCES words (id),
  name        INTEGER REFERENCES words (id),
  username    INTEGER REFERENCES words (id),
  impersonated INTEGER REFERENCES words (id),
  uid         INTEGER REFERENCES words (id),
  user_agent  INTEGER REFERENCES words (id),
  source_ip   INTEGER REFERENCES words (id),
  code        INTEGER,
  dry_run     INTEGER NOT NULL,             -- 1 if the request was to change nothing
  salvaged    INTEGER NOT NULL,             -- 1 if it stands behind a torn entry in the same line
  audit_id    TEXT,
  request_uri TEXT,
  issued      TEXT,                         -- the credential that a token request issued
  dictionary  INTEGER REFERENCES dictionaries (id),
  sha256      BLOB,                         -- of the bytes at the address, where line is without their bodies
  line        BLOB NOT NULL                 -- the bytes at the address: a zstd frame, or as they are
) STRICT;
CREATE UNIQUE INDEX records_by_address ON records (generation, offset, part);
CREATE INDEX records_by_time ON records (stage_us);
CREATE INDEX records_by_name ON records (name, namespace);
CREATE INDEX records_by_kind ON records (kind, namespace, stage_us);
CREATE INDEX records_by_user ON records (username, stage_us);
CREATE INDEX records_by_impersonated ON records (impersonated, stage_us) WHERE impersonated IS NOT NULL;
CREATE INDEX records_by_uid ON records (uid) WHERE uid IS NOT NULL;
CREATE INDEX records_by_issued ON records (issued) WHERE issued IS NOT NULL;

-- keep: the rule by which events are kept now. horizon_us: events of an earlier stage time were removed.
CREATE TABLE settings (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE VIEW events AS
SELECT r.id, nullif(r.audit_id, '') AS audit_id, k.stage, k.level, r.received_us, r.stage_us, k.verb,
       u.word AS username, i.word AS impersonated,
       k.api_group, nullif(k.resource, '') AS resource, k.subresource, s.word AS namespace, n.word AS name, o.word AS uid,
       r.code, r.dry_run, a.word AS user_agent, p.word AS source_ip, r.request_uri, r.issued AS issued_credential,
       g.source, g.path, r.generation, r.offset, r.part, r.length
FROM records AS r
LEFT JOIN kinds AS k ON k.id = r.kind
LEFT JOIN words AS u ON u.id = r.username
LEFT JOIN words AS i ON i.id = r.impersonated
LEFT JOIN words AS s ON s.id = r.namespace
LEFT JOIN words AS n ON n.id = r.name
LEFT JOIN words AS o ON o.id = r.uid
LEFT JOIN words AS a ON a.id = r.user_agent
LEFT JOIN words AS p ON p.id = r.source_ip
LEFT JOIN generations AS g ON g.id = r.generation;

-- Evictions through the API that were accepted.
CREATE VIEW evictions AS
SELECT * FROM events
WHERE verb = 'create' AND resource = 'pods' AND subresource = 'eviction' AND stage = 'ResponseComplete'
  AND code BETWEEN 200 AND 299 AND dry_run = 0;

-- Requests that removed objects: deletes of one or of a whole collection, and evictions.
CREATE VIEW removals AS
SELECT * FROM events
WHERE (verb IN ('delete', 'deletecollection') AND subresource = '' OR verb = 'create' AND subresource = 'eviction')
  AND resource IS NOT NULL AND stage = 'ResponseComplete' AND code BETWEEN 200 AND 299 AND dry_run = 0;

-- Requests that were not allowed: nobody logged in (401), or it is forbidden (403).
CREATE VIEW denials AS SELECT * FROM events WHERE code IN (401, 403) AND stage <> 'RequestReceived';

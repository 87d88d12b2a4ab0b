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
  offset      INTEGER NOT NULL DEFAULT 0,   -- what is in front of it is committed
  tail_length INTEGER NOT NULL DEFAULT 0,   -- bytes of the last record in front of the offset
  tail_hash   BLOB    NOT NULL DEFAULT x'', -- SHA-256 of these
  state       TEXT    NOT NULL DEFAULT 'growing' CHECK (state IN ('growing', 'final', 'gone')),
  -- What became of the bytes in front of the offset.
  lines       INTEGER NOT NULL DEFAULT 0,   -- lines that hold an entry
  kept        INTEGER NOT NULL DEFAULT 0,   -- events that are in the table of events, or were until they grew old
  entry_bytes INTEGER NOT NULL DEFAULT 0,   -- bytes of lines that hold an entry
  bad_bytes   INTEGER NOT NULL DEFAULT 0,   -- bytes in bad_spans
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

-- Version 2: what is asked of a name or a user is found by kind and time in the index alone, and what failed has one of its own.

DROP INDEX records_by_name;
DROP INDEX records_by_user;
CREATE INDEX records_by_name ON records (name, namespace, kind, stage_us);
CREATE INDEX records_by_user ON records (username, kind, stage_us);
CREATE INDEX records_by_failure ON records (kind, code, namespace, name, stage_us) WHERE code >= 400;

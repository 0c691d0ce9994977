-- One text for SQLite and PostgreSQL. Times are milliseconds UTC, JSON and bytes are text, truth is 0 or 1.

CREATE TABLE operation (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    environment TEXT,
    exclusive_key TEXT,
    params TEXT NOT NULL,
    actor TEXT NOT NULL,
    state TEXT NOT NULL,
    step TEXT,
    data TEXT NOT NULL,
    question TEXT,
    waits_for TEXT,
    wake_at BIGINT,
    message TEXT,
    problem TEXT,
    progress TEXT,
    attempts BIGINT NOT NULL,
    cancelling BIGINT NOT NULL,
    holds_key BIGINT NOT NULL,
    lease_owner TEXT,
    lease_until BIGINT,
    lease_epoch BIGINT NOT NULL,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    started BIGINT,
    updated BIGINT NOT NULL,
    ended BIGINT
);
-- One operation at a time for each key: it holds the key from its first claim to its end, in whatever state.
CREATE UNIQUE INDEX operation_exclusive ON operation (exclusive_key) WHERE holds_key = 1;
CREATE INDEX operation_open ON operation (id) WHERE state IN ('queued', 'running', 'waiting', 'needs_person');
CREATE INDEX operation_environment ON operation (environment, id);

CREATE TABLE step (
    operation TEXT NOT NULL REFERENCES operation (id),
    number BIGINT NOT NULL,
    name TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    worker TEXT NOT NULL,
    started BIGINT NOT NULL,
    ended BIGINT,
    outcome TEXT,
    PRIMARY KEY (operation, number)
);

CREATE TABLE signal (
    id TEXT NOT NULL PRIMARY KEY,
    operation TEXT NOT NULL REFERENCES operation (id),
    name TEXT NOT NULL,
    payload TEXT NOT NULL,
    actor TEXT NOT NULL,
    created BIGINT NOT NULL,
    consumed BIGINT
);
CREATE INDEX signal_pending ON signal (operation, name) WHERE consumed IS NULL;

CREATE TABLE approval (
    id TEXT NOT NULL PRIMARY KEY,
    operation TEXT NOT NULL REFERENCES operation (id),
    digest TEXT NOT NULL,
    actor TEXT NOT NULL,
    roles TEXT NOT NULL,
    granted BIGINT NOT NULL,
    reason TEXT,
    created BIGINT NOT NULL,
    UNIQUE (operation, digest, actor)
);

CREATE TABLE evidence (
    id TEXT NOT NULL PRIMARY KEY,
    operation TEXT NOT NULL REFERENCES operation (id),
    name TEXT NOT NULL,
    content TEXT NOT NULL,
    actor TEXT NOT NULL,
    created BIGINT NOT NULL
);
CREATE INDEX evidence_operation ON evidence (operation);

CREATE TABLE audit (
    seq BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    outcome TEXT NOT NULL,
    details TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL
);
CREATE INDEX audit_subject ON audit (subject, seq);

-- The one row that every writer of the chain locks.
CREATE TABLE audit_head (
    id BIGINT NOT NULL PRIMARY KEY,
    seq BIGINT NOT NULL,
    hash TEXT NOT NULL
);
INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');

CREATE TABLE checkpoint (
    seq BIGINT NOT NULL PRIMARY KEY,
    hash TEXT NOT NULL,
    at BIGINT NOT NULL,
    key TEXT NOT NULL,
    signature TEXT NOT NULL
);

CREATE TABLE schedule (
    name TEXT NOT NULL PRIMARY KEY,
    cron TEXT NOT NULL,
    zone TEXT NOT NULL,
    request TEXT NOT NULL,
    next_at BIGINT,
    version BIGINT NOT NULL
);

CREATE TABLE schedule_run (
    schedule TEXT NOT NULL,
    instant BIGINT NOT NULL,
    operation TEXT NOT NULL REFERENCES operation (id),
    PRIMARY KEY (schedule, instant)
);

CREATE TABLE environment_state (
    environment TEXT NOT NULL PRIMARY KEY,
    org_id TEXT,
    snapshot_commit TEXT,
    snapshot_at BIGINT,
    last_deploy TEXT,
    capture TEXT NOT NULL,
    version BIGINT NOT NULL,
    updated BIGINT NOT NULL
);

CREATE TABLE step_once (
    environment TEXT NOT NULL,
    step TEXT NOT NULL,
    operation TEXT NOT NULL REFERENCES operation (id),
    begun BIGINT NOT NULL,
    done BIGINT,
    detail TEXT NOT NULL,
    PRIMARY KEY (environment, step)
);

CREATE TABLE secret (
    id TEXT NOT NULL PRIMARY KEY,
    key_id TEXT NOT NULL,
    sealed TEXT NOT NULL,
    updated BIGINT NOT NULL
);

CREATE TABLE person (
    name TEXT NOT NULL PRIMARY KEY,
    created BIGINT NOT NULL
);

CREATE TABLE role_assignment (
    person TEXT NOT NULL REFERENCES person (name),
    environment TEXT NOT NULL,
    role TEXT NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (person, environment, role)
);

CREATE TABLE setting (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL,
    version BIGINT NOT NULL,
    updated BIGINT NOT NULL
);

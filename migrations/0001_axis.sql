-- +goose Up

-- What is configured ---------------------------------------------------------------------------------------------

-- setting: single values of the installation (the key file's fingerprint, the day it opened).
CREATE TABLE setting (
    name  text PRIMARY KEY,
    value text NOT NULL
);

-- version: one counter for each kind of configuration that servers keep in memory. Whoever changes such data adds
-- one in the same commit; every server looks once a second and reloads what moved.
CREATE TABLE version (
    name   text   PRIMARY KEY,
    number bigint NOT NULL
);
INSERT INTO version (name, number) VALUES ('directory', 0), ('systems', 0), ('trust', 0), ('policy', 0);

-- agency: the directory. Codes are identities for life (QĐ 20/2020/QĐ-TTg): closed, never deleted, never used again.
CREATE TABLE agency (
    code        text   PRIMARY KEY CHECK (length(code) BETWEEN 1 AND 35),
    old_code    text   NOT NULL DEFAULT '' CHECK (length(old_code) <= 35),
    name        text   NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    parent      text   NOT NULL DEFAULT '',
    kind        text   NOT NULL DEFAULT '',
    status      text   NOT NULL CHECK (status IN ('live', 'locked', 'closed')),
    valid_from  date,
    valid_to    date,
    successors  text[] NOT NULL DEFAULT '{}',
    decision    text   NOT NULL DEFAULT '',
    code_source text   NOT NULL DEFAULT '',
    version     bigint NOT NULL
);

-- system: a connected document-management system or hub. Its secret is sealed under the key file, not hashed: the
-- HMAC of the VXP face needs it back.
CREATE TABLE system (
    id           text        PRIMARY KEY CHECK (id ~ '^[0-9A-Za-z._-]{1,64}$'),
    name         text        NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    kind         text        NOT NULL CHECK (kind IN ('qlvb', 'lgsp', 'other')),
    way          text        NOT NULL CHECK (way IN ('pull', 'push', 'mailbox')),
    webhook      text        NOT NULL DEFAULT '',
    secret       bytea       NOT NULL,
    old_secret   bytea,
    old_until    timestamptz,
    rate         integer     NOT NULL DEFAULT 0 CHECK (rate >= 0),
    created_at   timestamptz NOT NULL,
    disabled_at  timestamptz,
    seen_at      timestamptz,
    failing_since timestamptz,
    failure      text        NOT NULL DEFAULT '',
    CHECK (way <> 'push' OR webhook <> ''),
    CHECK ((old_secret IS NULL) = (old_until IS NULL))
);

-- system_agency: which codes a system serves; subtree means the code and all under it. One system per entry, so
-- that a route is never a matter of chance.
CREATE TABLE system_agency (
    system_id text    NOT NULL REFERENCES system (id),
    code      text    NOT NULL CHECK (length(code) BETWEEN 1 AND 35),
    subtree   boolean NOT NULL,
    PRIMARY KEY (code, subtree)
);
-- for "the codes of one system" (system list)
CREATE INDEX system_agency_by_system ON system_agency (system_id);

-- intake_policy: what happens to a dispatch by the worst verdict among its files; sender '*' is the default (R81).
CREATE TABLE intake_policy (
    sender       text PRIMARY KEY,
    broken       text NOT NULL CHECK (broken       IN ('refuse', 'hold')),
    invalid      text NOT NULL CHECK (invalid      IN ('refuse', 'hold', 'forward')),
    undetermined text NOT NULL CHECK (undetermined IN ('refuse', 'hold', 'forward')),
    unsigned     text NOT NULL CHECK (unsigned     IN ('refuse', 'hold', 'forward'))
);
INSERT INTO intake_policy VALUES ('*', 'refuse', 'forward', 'forward', 'forward');

-- trust_anchor: managed data (R82): who installed which root, when, for what.
CREATE TABLE trust_anchor (
    fingerprint text        NOT NULL CHECK (length(fingerprint) = 64),
    purpose     text        NOT NULL CHECK (purpose IN ('signing', 'tsa', 'intermediate')),
    family      text        NOT NULL DEFAULT '',
    test        boolean     NOT NULL,
    certificate bytea       NOT NULL,
    added_at    timestamptz NOT NULL,
    added_by    text        NOT NULL,
    retired_at  timestamptz,
    PRIMARY KEY (fingerprint, purpose)
);

-- revocation_list: CRLs at hand, one a line of issuer and number; verification reads only from here, never the network.
CREATE TABLE revocation_list (
    sha256      text        PRIMARY KEY CHECK (length(sha256) = 64),
    list        bytea       NOT NULL,
    this_update timestamptz NOT NULL,
    next_update timestamptz,
    added_at    timestamptz NOT NULL
);

-- axis_key: the axis's own key for its proofs; the private half is sealed under the key file.
CREATE TABLE axis_key (
    fingerprint text        PRIMARY KEY CHECK (length(fingerprint) = 64),
    certificate bytea       NOT NULL,
    sealed_key  bytea       NOT NULL,
    added_at    timestamptz NOT NULL,
    retired_at  timestamptz
);

-- People ---------------------------------------------------------------------------------------------------------

CREATE TABLE app_user (
    name          text        PRIMARY KEY CHECK (name ~ '^[0-9a-z._@-]{2,64}$'),
    role          text        NOT NULL CHECK (role IN ('operator', 'authority', 'administrator', 'clerk', 'auditor')),
    agencies      text[]      NOT NULL DEFAULT '{}',
    password      text        NOT NULL,
    totp          bytea,
    one_time      boolean     NOT NULL DEFAULT false,
    failures      integer     NOT NULL DEFAULT 0,
    locked_until  timestamptz,
    totp_used     bigint      NOT NULL DEFAULT 0,
    created_at    timestamptz NOT NULL,
    seen_at       timestamptz,
    disabled_at   timestamptz
);

CREATE TABLE session (
    token  text        PRIMARY KEY,
    data   bytea       NOT NULL,
    expiry timestamptz NOT NULL
);
-- for the sweep of what has expired
CREATE INDEX session_by_expiry ON session (expiry);

-- Documents ------------------------------------------------------------------------------------------------------

-- object: which stored copy of some bytes counts. S3 cannot rename and a hash is known only at the end of an
-- upload, so the key is the upload's id and this row says where (sha256, size) lies.
CREATE TABLE object (
    sha256     text        NOT NULL CHECK (length(sha256) = 64),
    size       bigint      NOT NULL CHECK (size >= 0),
    key        text        NOT NULL UNIQUE,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (sha256, size)
);

-- identity: the lasting uniqueness of a document, outside the partitions. again is empty for a new document (kind 0)
-- and the fingerprint for recall, update and replace, which repeat the original's id by custom.
CREATE TABLE identity (
    sender      text  NOT NULL,
    document_id text  NOT NULL,
    kind        smallint NOT NULL,
    again       bytea NOT NULL,
    fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32),
    dispatch_id uuid  NOT NULL UNIQUE,
    PRIMARY KEY (sender, document_id, kind, again)
);

-- idempotency: the answer once given to a key of a system's own choice.
CREATE TABLE idempotency (
    system_id   text        NOT NULL,
    key         text        NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    request     bytea       NOT NULL CHECK (length(request) = 32),
    dispatch_id uuid        NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (system_id, key)
);

-- The five tables below are partitioned by month on dispatch_id (a UUIDv7, so its first 48 bits are the time of
-- acceptance): all of one dispatch lies together, and a month is detached as one. There are no foreign keys between
-- them, for a detach fails with them; the invariant checker guards instead. There is no default partition.

CREATE TABLE dispatch (
    id             uuid        NOT NULL PRIMARY KEY,
    system_id      text        NOT NULL,
    sender         text        NOT NULL,
    document_id    text        NOT NULL,
    kind           smallint    NOT NULL CHECK (kind BETWEEN 0 AND 3),
    original       uuid,
    number         text        NOT NULL,
    notation       text        NOT NULL,
    promulgated    date,
    type_name      text        NOT NULL,
    subject        text        NOT NULL,
    urgency        smallint    NOT NULL CHECK (urgency BETWEEN 0 AND 3),
    form           text        NOT NULL CHECK (form IN ('native', 'edxml')),
    first_part     bytea       NOT NULL,
    signature      bytea,
    verdict        text        NOT NULL CHECK (verdict IN ('valid', 'invalid', 'undetermined', 'unsigned')),
    report         jsonb       NOT NULL,
    warnings       jsonb       NOT NULL,
    held_for       text,
    held_by        text,
    directory      bigint      NOT NULL,
    accepted_at    timestamptz NOT NULL,
    package_sha256 text,
    package_size   bigint,
    proof_sha256   text,
    proof_size     bigint,
    CHECK ((held_for IS NULL) = (held_by IS NULL))
) PARTITION BY RANGE (id);
-- for an agency's list of what it sent, newest first (read backwards)
CREATE INDEX dispatch_by_sender ON dispatch (sender, id);

CREATE TABLE attachment (
    dispatch_id uuid     NOT NULL,
    n           integer  NOT NULL CHECK (n >= 1),
    name        text     NOT NULL,
    media_type  text     NOT NULL,
    sha256      text     NOT NULL,
    size        bigint   NOT NULL,
    verdict     text     NOT NULL CHECK (verdict IN ('valid', 'invalid', 'undetermined', 'unsigned')),
    PRIMARY KEY (dispatch_id, n)
) PARTITION BY RANGE (dispatch_id);

CREATE TABLE delivery (
    dispatch_id  uuid        NOT NULL,
    n            integer     NOT NULL CHECK (n >= 1),
    addressed_to text        NOT NULL,
    agency       text        NOT NULL,
    system_id    text        NOT NULL,
    way          text        NOT NULL CHECK (way IN ('pull', 'push', 'mailbox')),
    state        text        NOT NULL CHECK (state IN ('pending', 'delivered', 'refused', 'expired', 'held', 'recalled')),
    state_at     timestamptz NOT NULL,
    reason       text        NOT NULL DEFAULT '',
    told_at      timestamptz,
    status       text        NOT NULL DEFAULT '',
    status_at    timestamptz,
    owner        text        NOT NULL DEFAULT '',
    deadline     timestamptz,
    PRIMARY KEY (dispatch_id, n),
    CHECK (state NOT IN ('refused', 'expired', 'held') OR (owner <> '' AND deadline IS NOT NULL))
) PARTITION BY RANGE (dispatch_id);
-- for an agency's list of what it received, newest first (read backwards, so that "before this one" is one bound)
CREATE INDEX delivery_by_agency ON delivery (agency, dispatch_id, n);
-- for the lists of what waits for a person, and for the sweeper of deadlines
CREATE INDEX delivery_parked ON delivery (deadline) WHERE state IN ('refused', 'expired', 'held');

CREATE TABLE attempt (
    dispatch_id uuid        NOT NULL,
    n           integer     NOT NULL,
    k           integer     NOT NULL CHECK (k >= 1),
    node        text        NOT NULL,
    started_at  timestamptz NOT NULL,
    ended_at    timestamptz,
    outcome     text        CHECK (outcome IN ('done', 'later', 'never')),
    detail      text        NOT NULL DEFAULT '',
    PRIMARY KEY (dispatch_id, n, k)
) PARTITION BY RANGE (dispatch_id);

CREATE TABLE receipt (
    dispatch_id    uuid        NOT NULL,
    n              integer     NOT NULL,
    k              integer     NOT NULL CHECK (k >= 1),
    status         text        NOT NULL CHECK (status IN ('01','02','03','04','05','06','13','15','16')),
    agency         text        NOT NULL,
    system_id      text        NOT NULL,
    staff          jsonb       NOT NULL,
    reason         text        NOT NULL DEFAULT '',
    arrival_number text        NOT NULL DEFAULT '',
    event_time     timestamptz NOT NULL,
    received_at    timestamptz NOT NULL,
    PRIMARY KEY (dispatch_id, n, k),
    UNIQUE (dispatch_id, n, agency, status, event_time)
) PARTITION BY RANGE (dispatch_id);

-- queue: what still has to reach a system: dispatches, receipts, notices. Narrow, and never a payload in it; a row
-- goes when its delivery ends. due is the lease too: a claim moves it ahead, a crash lets it come due again. due is
-- null for what waits to be pulled. n and k name the delivery and the receipt (or, for a notice, its code).
CREATE TABLE queue (
    dispatch_id uuid        NOT NULL,
    n           integer     NOT NULL,
    kind        "char"      NOT NULL CHECK (kind IN ('d', 'r', 'n')),
    k           integer     NOT NULL DEFAULT 0,
    destination text        NOT NULL,
    urgency     smallint    NOT NULL,
    entered     timestamptz NOT NULL,
    due         timestamptz,
    fence       integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (dispatch_id, n, kind, k)
) WITH (fillfactor = 80);
-- for the claim: what is due at one destination, urgent first, oldest first
CREATE INDEX queue_due ON queue (destination, urgency DESC, due) WHERE due IS NOT NULL;
-- for a system's inbox: urgent first, oldest first
CREATE INDEX queue_inbox ON queue (destination, urgency DESC, entered, dispatch_id, n);

-- Counting -------------------------------------------------------------------------------------------------------

-- tally: one small row for each counted event, appended by the commit that makes it happen; a job folds tallies into
-- volume. A shared counter that every commit updates would make all of them wait for each other.
CREATE TABLE tally (
    id     bigint   GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    day    date     NOT NULL,
    agency text     NOT NULL,
    metric text     NOT NULL CHECK (metric IN ('sent', 'received')),
    count  integer  NOT NULL
);

CREATE TABLE volume (
    day    date   NOT NULL,
    agency text   NOT NULL,
    metric text   NOT NULL CHECK (metric IN ('sent', 'received')),
    count  bigint NOT NULL,
    PRIMARY KEY (day, agency, metric)
);

-- Evidence -------------------------------------------------------------------------------------------------------

-- audit: who did what. Rows come unchained; one sealer gives each a number in the chain and a hash over the one
-- before, so that a row changed or taken away later shows (R93). hash = SHA-256(previous hash || row).
CREATE TABLE audit (
    id     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at     timestamptz NOT NULL,
    actor  text        NOT NULL,
    ip     text        NOT NULL DEFAULT '',
    action text        NOT NULL,
    object text        NOT NULL,
    detail text        NOT NULL DEFAULT '',
    seal   bigint      UNIQUE,
    hash   bytea,
    CHECK ((seal IS NULL) = (hash IS NULL))
);
-- for the sealer: what is not chained yet
CREATE INDEX audit_unsealed ON audit (id) WHERE seal IS NULL;

-- job_tick: each tick of each job, once in the whole cluster.
CREATE TABLE job_tick (
    job      text        NOT NULL,
    due      timestamptz NOT NULL,
    node     text        NOT NULL,
    fence    bigint      NOT NULL,
    lease    timestamptz NOT NULL,
    done_at  timestamptz,
    PRIMARY KEY (job, due)
);

-- readiness: one row that /readyz writes and reads back.
CREATE TABLE readiness (
    node text        PRIMARY KEY,
    at   timestamptz NOT NULL
);

-- +goose Up

-- trust_anchor: the dates between which an anchor counts (R82), by the time that a signature is judged at; null is no bound.
-- retired_by: who took it out of use.
ALTER TABLE trust_anchor ADD COLUMN counts_from  timestamptz;
ALTER TABLE trust_anchor ADD COLUMN counts_until timestamptz;
ALTER TABLE trust_anchor ADD COLUMN retired_by   text;

-- revocation_list: OCSP responses too. scope says which lists follow each other (issuer, key, distribution point, full or
-- delta; or responder and serial number): '' is not worked out yet. An older binary takes a response for an unreadable CRL,
-- which proves nothing.
ALTER TABLE revocation_list ADD COLUMN kind     text NOT NULL DEFAULT 'crl' CHECK (kind IN ('crl', 'ocsp'));
ALTER TABLE revocation_list ADD COLUMN scope    text NOT NULL DEFAULT '';
ALTER TABLE revocation_list ADD COLUMN issuer   text NOT NULL DEFAULT '';
ALTER TABLE revocation_list ADD COLUMN added_by text NOT NULL DEFAULT '';

-- trust_host: the hosts from which revocation data may be fetched. None by default: a closed network asks nobody.
CREATE TABLE trust_host (
    host     text        PRIMARY KEY CHECK (length(host) BETWEEN 1 AND 260),
    added_at timestamptz NOT NULL,
    added_by text        NOT NULL
);

-- revocation_source: where certificates say that their revocation data are. target is the certificate asked about over
-- OCSP, '' for a CRL; host is '' where nothing is ever asked (ldap); issuer is the
-- certificate that the answer must be signed under. due is the lease too.
CREATE TABLE revocation_source (
    url         text        NOT NULL CHECK (length(url) BETWEEN 1 AND 2000),
    host        text        NOT NULL,
    target      text        NOT NULL,
    kind        text        NOT NULL CHECK (kind IN ('crl', 'ocsp')),
    certificate bytea,
    issuer      bytea       NOT NULL,
    seen_at     timestamptz NOT NULL,
    due         timestamptz NOT NULL,
    tried_at    timestamptz,
    fetched_at  timestamptz,
    failures    integer     NOT NULL DEFAULT 0,
    failure     text        NOT NULL DEFAULT '',
    etag        text        NOT NULL DEFAULT '',
    modified    text        NOT NULL DEFAULT '',
    PRIMARY KEY (url, target),
    CHECK ((kind = 'ocsp') = (certificate IS NOT NULL))
);
-- for the fetcher: what is due
CREATE INDEX revocation_source_due ON revocation_source (due);

-- dispatch.evidence: what its present verdict leaned on, by hash (R77); verification: the number of that judging. Null
-- where an older binary accepted it.
ALTER TABLE dispatch ADD COLUMN evidence     jsonb;
ALTER TABLE dispatch ADD COLUMN verification integer NOT NULL DEFAULT 1;

-- verification: the judgings of dispatches whose verdict or reasons changed later, that of reception as number 1. Rare,
-- so in one table for all months.
CREATE TABLE verification (
    dispatch_id uuid        NOT NULL,
    n           integer     NOT NULL CHECK (n >= 1),
    at          timestamptz NOT NULL,
    by_whom     text        NOT NULL,
    occasion    text        NOT NULL CHECK (occasion IN ('reception', 'new_data', 'reverify')),
    verdict     text        NOT NULL CHECK (verdict IN ('valid', 'invalid', 'undetermined', 'unsigned')),
    report      jsonb       NOT NULL,
    evidence    jsonb,
    PRIMARY KEY (dispatch_id, n)
);
-- for the end of notices that nobody fetched: verdicts that changed a month ago
CREATE INDEX verification_changed ON verification (at) WHERE n > 1;

-- reverify: dispatches whose verdict may change for the better when revocation data or anchors come: a waiting set. trust is
-- the version of the trust store that they were judged with last; until is when hope ends.
CREATE TABLE reverify (
    dispatch_id uuid        PRIMARY KEY,
    trust       bigint      NOT NULL,
    tries       integer     NOT NULL DEFAULT 0,
    due         timestamptz NOT NULL,
    until       timestamptz NOT NULL
);
-- for the re-verifier: what today's trust store has not judged yet, and is due
CREATE INDEX reverify_by_trust ON reverify (trust, due);
-- for the end of hope
CREATE INDEX reverify_until ON reverify (until);

-- What came undetermined within the last 30 days is judged again too.
INSERT INTO reverify (dispatch_id, trust, due, until)
SELECT id, -1, now(), accepted_at + interval '30 days' FROM dispatch
 WHERE id >= (lpad(to_hex((extract(epoch FROM now() - interval '30 days') * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid
   AND verdict = 'undetermined';
